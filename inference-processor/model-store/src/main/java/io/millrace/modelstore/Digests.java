package io.millrace.modelstore;

import io.millrace.modelstore.ProgressListener.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.OptionalLong;

/** SHA-256 of files and of short texts, as 64 hexadecimal digits. */
final class Digests {
    private static final int BUFFER_BYTES = 1 << 20;

    private Digests() {}

    static String sha256(Path file, Reporter reporter) throws IOException {
        MessageDigest digest = newSha256();
        reporter.begin(Stage.VERIFYING, 0, OptionalLong.of(Files.size(file)));
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
                done += n;
                reporter.advance(done);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static String sha256(String text) {
        return HexFormat.of().formatHex(newSha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
