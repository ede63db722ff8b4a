package io.millrace.remote;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** TLS from PEM files, as servers' operators have them. */
final class PemTls {

    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

    private PemTls() {}

    /**
     * The context for outgoing connections.
     *
     * @throws IllegalArgumentException when a file is not what it should be
     */
    static SSLContext context(RemoteOptions.Tls options) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers(options), trustManagers(options.ca()), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("remote.tls: " + e, e);
        }
    }

    private static TrustManager @Nullable [] trustManagers(Optional<Path> ca)
            throws GeneralSecurityException, IOException {
        if (ca.isEmpty()) {
            return null; // the JDK's
        }
        KeyStore store = empty();
        int number = 0;
        for (Certificate certificate : certificates("remote.tls.ca_file", ca.get())) {
            store.setCertificateEntry("ca-" + number++, certificate);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static KeyManager @Nullable [] keyManagers(RemoteOptions.Tls options)
            throws GeneralSecurityException, IOException {
        if (options.certificate().isEmpty() || options.key().isEmpty()) {
            return null;
        }
        Certificate[] chain = certificates(
                        "remote.tls.certificate_file", options.certificate().get())
                .toArray(new Certificate[0]);
        KeyStore store = empty();
        store.setKeyEntry("client", key(options.key().get()), new char[0], chain);
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, new char[0]);
        return factory.getKeyManagers();
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(String name, Path file)
            throws GeneralSecurityException, IOException {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            RemoteOptions.check(name, file, !found.isEmpty(), "a PEM file of certificates");
            return found;
        }
    }

    private static PrivateKey key(Path file) throws GeneralSecurityException, IOException {
        Matcher pem = PKCS8.matcher(Files.readString(file, StandardCharsets.US_ASCII));
        RemoteOptions.check(
                "remote.tls.key_file",
                file,
                pem.find(),
                "a PEM file with BEGIN PRIVATE KEY: openssl pkcs8 -topk8 -nocrypt makes one of others");
        PKCS8EncodedKeySpec spec =
                new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                // the next one
            }
        }
        throw new IllegalArgumentException("remote.tls.key_file=" + file + ", expected=a key of " + ALGORITHMS);
    }
}
