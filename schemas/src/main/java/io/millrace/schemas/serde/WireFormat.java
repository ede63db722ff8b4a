package io.millrace.schemas.serde;

/** Confluent's wire format. */
final class WireFormat {

    /** First byte of {@code 0x00, schema id as big-endian int, Avro binary}. */
    static final byte MAGIC_ID = 0;

    private WireFormat() {}
}
