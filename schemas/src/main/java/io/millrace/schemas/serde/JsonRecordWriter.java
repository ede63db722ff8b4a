package io.millrace.schemas.serde;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;

/** Writes a record as one JSON object: fields by their schema names in schema order, absent ones left out. */
final class JsonRecordWriter {

    private JsonRecordWriter() {}

    static void write(IndexedRecord record, JsonGenerator out) throws IOException {
        out.writeStartObject();
        for (Schema.Field field : record.getSchema().getFields()) {
            Object value = record.get(field.pos());
            if (value != null) {
                out.writeFieldName(field.name());
                writeValue(value, out);
            }
        }
        out.writeEndObject();
    }

    private static void writeValue(Object value, JsonGenerator out) throws IOException {
        switch (value) {
            case IndexedRecord record -> write(record, out);
            case List<?> list -> writeList(list, out);
            case Map<?, ?> map -> writeMap(map, out);
            case CharSequence text -> out.writeString(WellFormed.repaired(text.toString()));
            case ByteBuffer bytes -> writeBytes(bytes, out);
            case Instant time -> out.writeNumber(time.toEpochMilli());
            case Integer number -> out.writeNumber(number);
            case Long number -> out.writeNumber(number);
            case Float number -> out.writeNumber(number);
            case Double number -> out.writeNumber(number);
            case Boolean truth -> out.writeBoolean(truth);
            case Enum<?> symbol -> out.writeString(symbol.name());
            default -> throw new IllegalStateException("no JSON for " + value.getClass());
        }
    }

    private static void writeList(List<?> list, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (Object element : list) {
            writeValue(element, out);
        }
        out.writeEndArray();
    }

    private static void writeMap(Map<?, ?> map, JsonGenerator out) throws IOException {
        out.writeStartObject();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.writeFieldName(WellFormed.repaired(entry.getKey().toString()));
            writeValue(entry.getValue(), out);
        }
        out.writeEndObject();
    }

    /** The buffer belongs to the record: its position must not move. */
    private static void writeBytes(ByteBuffer bytes, JsonGenerator out) throws IOException {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        out.writeBinary(copy);
    }
}
