package io.millrace.ingest;

import java.util.UUID;

/** Ids that sort by the time they were made (RFC 9562, version 7), so that logs and tables of them keep their order. */
final class UuidV7 {

    private static final long VERSION = 0x7000L;
    private static final int RANDOM_BITS = 0xfff;

    private UuidV7() {}

    /** @param millis since 1970-01-01 UTC, 48 bits */
    static UUID at(long millis) {
        UUID random = UUID.randomUUID();
        long high = (millis << 16) | VERSION | (random.getMostSignificantBits() & RANDOM_BITS);
        return new UUID(high, random.getLeastSignificantBits());
    }
}
