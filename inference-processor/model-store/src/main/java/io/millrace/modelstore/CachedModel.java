package io.millrace.modelstore;

import java.nio.file.Path;
import java.time.Instant;

/**
 * A model's file as the store knows it.
 *
 * @param name the model's name
 * @param source where it came from, without secrets
 * @param path the file
 * @param sizeBytes its size when it was verified
 * @param sha256 its digest when it was verified, 64 hexadecimal digits
 * @param verifiedAt when its digest was last computed
 * @param state whether the file is still what was verified
 */
public record CachedModel(
        String name, String source, Path path, long sizeBytes, String sha256, Instant verifiedAt, State state) {

    /** A verified file may have been touched since. */
    public enum State {
        /** Size and modification time are those that were verified. */
        VERIFIED,
        /** Size or modification time differ: the next use computes the digest again. */
        CHANGED,
        /** The file is gone. */
        MISSING
    }
}
