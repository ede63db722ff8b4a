package io.millrace.sinks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * A record as one line of JSON, and a line's offset. Same record, same bytes: a line that is written again after a crash is equal.
 *
 * <p>{@code {"topic":…,"partition":…,"offset":…,"timestamp":…,"key":…,"headers":[{"name":…,"value":…}],"value":{…}}} and a newline.
 * Bytes that are no UTF-8 come as {@code key_base64} and headers' {@code value_base64}; a value that cannot be decoded comes as
 * {@code value_base64} with {@code error}, so that nothing is dropped and nothing stalls.
 */
final class JsonlLine {
    private static final JsonFactory JSON = new JsonFactory();

    private final ValueToJson values;

    JsonlLine(ValueToJson values) {
        this.values = values;
    }

    /** The line, with its newline, in UTF-8. */
    byte[] of(ConsumerRecord<byte[], byte[]> record) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("topic", record.topic());
            json.writeNumberField("partition", record.partition());
            json.writeNumberField("offset", record.offset());
            writeTimestamp(json, record.timestamp());
            writeBytes(json, "key", record.key());
            json.writeArrayFieldStart("headers");
            for (Header header : record.headers()) {
                json.writeStartObject();
                json.writeStringField("name", header.key());
                writeBytes(json, "value", header.value());
                json.writeEndObject();
            }
            json.writeEndArray();
            writeValue(json, record);
            json.writeEndObject();
            json.writeRaw('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e); // in memory: never
        }
        return bytes.toByteArray();
    }

    private static void writeTimestamp(JsonGenerator json, long epochMs) throws IOException {
        if (epochMs < 0) {
            json.writeNullField("timestamp"); // the producer gave none
        } else {
            json.writeStringField("timestamp", Instant.ofEpochMilli(epochMs).toString());
        }
    }

    private void writeValue(JsonGenerator json, ConsumerRecord<byte[], byte[]> record) throws IOException {
        byte[] value = record.value();
        if (value == null) {
            json.writeNullField("value");
            return;
        }
        try {
            String compact = compact(values.toJson(record, value));
            json.writeFieldName("value");
            json.writeRawValue(compact);
        } catch (JsonProcessingException e) {
            writeUndecodable(json, value, e.getOriginalMessage());
        } catch (SerializationException | IOException e) {
            writeUndecodable(json, value, String.valueOf(e.getMessage()));
        }
    }

    private static void writeUndecodable(JsonGenerator json, byte[] value, String error) throws IOException {
        json.writeBinaryField("value_base64", value);
        json.writeStringField("error", error);
    }

    /** Valid JSON, exactly one value, on one line, numbers as they were. */
    private static String compact(byte[] json) throws IOException {
        StringWriter out = new StringWriter(json.length);
        try (JsonParser parser = JSON.createParser(json);
                JsonGenerator generator = JSON.createGenerator(out)) {
            if (parser.nextToken() == null) {
                throw new IOException("value=, expected=JSON");
            }
            generator.copyCurrentStructureExact(parser);
            if (parser.nextToken() != null) {
                throw new IOException("value=more than one, expected=one JSON value");
            }
        }
        return out.toString();
    }

    private static void writeBytes(JsonGenerator json, String name, byte @Nullable [] bytes) throws IOException {
        if (bytes == null) {
            json.writeNullField(name);
            return;
        }
        Optional<String> text = utf8(bytes);
        if (text.isPresent()) {
            json.writeStringField(name, text.get());
        } else {
            json.writeBinaryField(name + "_base64", bytes);
        }
    }

    private static Optional<String> utf8(byte[] bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** The offset in a line that {@link #of} wrote; empty if the line is torn, zero-filled or foreign. */
    static OptionalLong offsetOf(byte[] line) {
        OptionalLong offset = OptionalLong.empty();
        try (JsonParser parser = JSON.createParser(line)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return OptionalLong.empty();
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isOffset = "offset".equals(parser.currentName());
                JsonToken value = parser.nextToken();
                if (isOffset && value == JsonToken.VALUE_NUMBER_INT) {
                    offset = OptionalLong.of(parser.getLongValue());
                }
                parser.skipChildren();
            }
            boolean complete = parser.currentToken() == JsonToken.END_OBJECT && parser.nextToken() == null;
            return complete ? offset : OptionalLong.empty();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
