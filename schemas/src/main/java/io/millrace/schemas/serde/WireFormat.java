package io.millrace.schemas.serde;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.UUID;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Confluent's two ways to say which schema wrote a value:
 *
 * <pre>
 * prefix   value  = 0x00, schema id (big-endian int), Avro binary
 * header   __value_schema_id = 0x01, GUID (16 bytes);  value = Avro binary
 * </pre>
 */
final class WireFormat {

    /** First byte of a prefix with an id. */
    static final byte MAGIC_ID = 0;

    /** First byte of a header with a GUID. */
    static final byte MAGIC_GUID = 1;

    /** Name of the header. */
    static final String SCHEMA_ID_HEADER = "__value_schema_id";

    static final int PREFIX_BYTES = 1 + Integer.BYTES;

    private static final int GUID_BYTES = 1 + 2 * Long.BYTES;

    private WireFormat() {}

    /** What names a writer's schema. */
    sealed interface SchemaRef {
        /** A registry's number. */
        record Id(int id) implements SchemaRef {
            @Override
            public String toString() {
                return "schema id=" + id;
            }
        }

        /** A name that is the same in all registries. */
        record Guid(UUID guid) implements SchemaRef {
            @Override
            public String toString() {
                return "schema guid=" + guid;
            }
        }
    }

    /** A value taken apart: the Avro binary is {@code bytes[from, bytes.length)}. */
    record Frame(SchemaRef schema, byte[] bytes, int from) {}

    /** @throws SerializationException if neither header nor prefix names a schema */
    static Frame parse(@Nullable Headers headers, byte[] value) {
        Header header = headers == null ? null : headers.lastHeader(SCHEMA_ID_HEADER);
        if (header != null) {
            return new Frame(refOfHeader(header.value()), value, 0);
        }
        if (value.length < PREFIX_BYTES) {
            throw new SerializationException("size=" + value.length + " bytes, expected=at least " + PREFIX_BYTES
                    + " (0x00 and a 4-byte schema id) or a header " + SCHEMA_ID_HEADER);
        }
        if (value[0] != MAGIC_ID) {
            String hint = value[0] == '{' ? "; this looks like JSON: set " + RecordFormat.VALUE_FORMAT + "=json" : "";
            throw new SerializationException(
                    "first byte=" + hex(value, 1) + ", expected=0x00 and a 4-byte schema id" + hint);
        }
        return new Frame(new SchemaRef.Id(ByteBuffer.wrap(value).getInt(1)), value, PREFIX_BYTES);
    }

    private static SchemaRef refOfHeader(byte @Nullable [] header) {
        if (header != null && header.length == GUID_BYTES && header[0] == MAGIC_GUID) {
            ByteBuffer buffer = ByteBuffer.wrap(header);
            return new SchemaRef.Guid(new UUID(buffer.getLong(1), buffer.getLong(1 + Long.BYTES)));
        }
        if (header != null && header.length == PREFIX_BYTES && header[0] == MAGIC_ID) {
            return new SchemaRef.Id(ByteBuffer.wrap(header).getInt(1));
        }
        String found = header == null ? "null" : hex(header, GUID_BYTES);
        throw new SerializationException("header " + SCHEMA_ID_HEADER + "=" + found
                + ", expected=0x01 and a 16-byte GUID, or 0x00 and a 4-byte schema id");
    }

    private static String hex(byte[] bytes, int most) {
        String more = bytes.length > most && most > 1 ? "…" : "";
        return "0x" + HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, most)) + more;
    }
}
