package io.millrace.streams.pending;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a prompt record says: SHA-256 of its value, key and headers. When it came, and how often it was submitted, is not
 * part of it.
 *
 * @param hex 64 hexadecimal digits
 */
public record PromptDigest(String hex) {

    /** The digest of a prompt. Takes a microsecond per KiB or so. */
    public static PromptDigest of(PendingPrompt prompt) {
        PendingPrompt timeless = PendingPrompt.admitted(prompt.key(), prompt.payload(), prompt.headers(), 0, 0);
        return new PromptDigest(HexFormat.of().formatHex(sha256().digest(PendingCodec.encode(timeless))));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
