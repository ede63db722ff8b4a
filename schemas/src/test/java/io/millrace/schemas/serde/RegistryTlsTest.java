package io.millrace.schemas.serde;

import static io.millrace.schemas.serde.FakeRegistry.always;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLParameters;
import org.apache.avro.Schema;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A registry behind TLS that wants the client's certificate too. Keys are made by the JDK's keytool. */
class RegistryTlsTest {

    private static final String PASSWORD = "changeit";

    @TempDir
    private static Path dir;

    private static FakeRegistry server;

    @BeforeAll
    static void startServer() throws Exception {
        makeKey("server");
        makeKey("client");
        HttpsServer https = HttpsServer.create(FakeRegistry.anyPort(), 0);
        https.setHttpsConfigurator(serverConfigurator());
        server = new FakeRegistry(https, always(200, "{\"schema\":\"\\\"int\\\"\"}"));
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @Test
    void shouldTrustAndAuthenticateByTheStoresConfigured() {
        assertThat(ask(Map.of(
                        "truststore.location",
                        file("server-trust.p12"),
                        "truststore.type",
                        "PKCS12",
                        "truststore.password",
                        PASSWORD,
                        "keystore.location",
                        file("client.p12"),
                        "keystore.type",
                        "PKCS12",
                        "keystore.password",
                        PASSWORD,
                        "key.password",
                        PASSWORD)))
                .isEqualTo(Schema.create(Schema.Type.INT));
    }

    @Test
    void shouldReadPemAsKafkaDoes() {
        assertThat(ask(Map.of(
                        "truststore.location",
                        file("server.pem"),
                        "truststore.type",
                        "PEM",
                        "keystore.location",
                        file("client.p12"),
                        "keystore.type",
                        "PKCS12",
                        "keystore.password",
                        PASSWORD)))
                .isEqualTo(Schema.create(Schema.Type.INT));
    }

    @Test
    void shouldTalkToNobodyItDoesNotTrust() {
        assertThatThrownBy(() -> ask(Map.of()))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("SSLHandshakeException");
        assertThatThrownBy(() -> ask(Map.of(
                        "truststore.location",
                        file("client-trust.p12"),
                        "truststore.type",
                        "PKCS12",
                        "truststore.password",
                        PASSWORD)))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("SSLHandshakeException");
    }

    @Test
    void shouldSayThatAPasswordIsWrong() {
        assertThatThrownBy(() -> ask(Map.of(
                        "truststore.location", file("server-trust.p12"),
                        "truststore.type", "PKCS12",
                        "truststore.password", "wrong-one")))
                .hasMessageStartingWith("schema.registry.ssl.*: ")
                .hasMessageContaining("password was incorrect")
                .hasMessageNotContaining("wrong-one");
    }

    private static Schema ask(Map<String, String> ssl) {
        Map<String, String> config = new HashMap<>();
        config.put("schema.registry.url", server.url().replace("http:", "https:"));
        ssl.forEach((key, value) -> config.put("schema.registry.ssl." + key, value));
        try (SchemaRegistry registry = SchemaRegistry.open(RegistryConfig.of(config))) {
            return registry.byRef(new SchemaRef.Id(7));
        }
    }

    private static HttpsConfigurator serverConfigurator() throws IOException {
        ConfigDef definition = new ConfigDef();
        SslConfigs.addClientSslSupport(definition);
        try (DefaultSslEngineFactory factory = new DefaultSslEngineFactory()) {
            factory.configure(definition.parse(Map.of(
                    "ssl.truststore.location",
                    file("client-trust.p12"),
                    "ssl.truststore.type",
                    "PKCS12",
                    "ssl.truststore.password",
                    PASSWORD,
                    "ssl.keystore.location",
                    file("server.p12"),
                    "ssl.keystore.type",
                    "PKCS12",
                    "ssl.keystore.password",
                    PASSWORD)));
            return new HttpsConfigurator(factory.sslContext()) {
                @Override
                public void configure(HttpsParameters parameters) {
                    SSLParameters ssl = getSSLContext().getDefaultSSLParameters();
                    ssl.setNeedClientAuth(true);
                    parameters.setSSLParameters(ssl);
                }
            };
        }
    }

    /** NAME.p12 has a key, NAME.pem its certificate, NAME-trust.p12 the certificate to trust. */
    private static void makeKey(String name) throws Exception {
        String[] store = {"-storetype", "PKCS12", "-storepass", PASSWORD};
        keytool(
                store,
                "-genkeypair",
                "-keystore",
                file(name + ".p12"),
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-validity",
                "2");
        keytool(
                store,
                "-exportcert",
                "-rfc",
                "-keystore",
                file(name + ".p12"),
                "-alias",
                name,
                "-file",
                file(name + ".pem"));
        keytool(
                store,
                "-importcert",
                "-noprompt",
                "-keystore",
                file(name + "-trust.p12"),
                "-alias",
                name,
                "-file",
                file(name + ".pem"));
    }

    private static void keytool(String[] store, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of(store));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static String file(String name) {
        return dir.resolve(name).toString();
    }
}
