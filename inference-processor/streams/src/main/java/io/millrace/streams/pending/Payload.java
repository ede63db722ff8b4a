package io.millrace.streams.pending;

/** A prompt record's value as the store keeps it. */
public sealed interface Payload {

    /** The record's value as it came. */
    record Raw(byte[] bytes) implements Payload {}

    /** The record had no value. */
    record Absent() implements Payload {}

    /**
     * The record is larger than the store takes, and only its size is kept.
     *
     * @param sizeBytes serialized size of the entry that would have been
     * @param limitBytes most that the store takes
     */
    record TooLarge(long sizeBytes, long limitBytes) implements Payload {}
}
