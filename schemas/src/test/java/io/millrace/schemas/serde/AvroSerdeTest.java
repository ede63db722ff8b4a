package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AvroSerdeTest {

    private static final String TOPIC = "prompts";

    private final String scope = UUID.randomUUID().toString();
    private final Map<String, Object> config = new HashMap<>(Map.of("schema.registry.url", "mock://" + scope));

    @ParameterizedTest
    @MethodSource("io.millrace.schemas.serde.Samples#everyKind")
    void shouldReadWhatItWrote(SpecificRecord record) {
        assertThat(roundTrip(record)).isEqualTo(record);
    }

    @Test
    void shouldWriteMagicByteThenSchemaIdThenAvroBinary() {
        MockSchemaRegistry.scope(scope)
                .register("other", SchemaBuilder.record("Other").fields().endRecord());
        byte[] bytes = write(Samples.smallPrompt());
        assertThat(Arrays.copyOf(bytes, 5)).containsExactly(0, 0, 0, 0, 2);
        // request_id null, model null, operation "chat"
        assertThat(Arrays.copyOfRange(bytes, 5, 12)).containsExactly(0, 0, 8, 'c', 'h', 'a', 't');
    }

    @Test
    void shouldRegisterTheSchemaOfTheAvscFileUnderTheTopicsName() {
        write(Samples.result());
        Schema registered = registry().latest("prompts-value").schema();
        assertThat(registered.toString()).doesNotContain("avro.java");
        assertThat(registered.toString())
                .contains("{\"name\":\"request_id\",\"type\":\"string\",\"doc\":")
                .contains("\"doc\":\"The answer to one prompt.\"")
                .contains("\"logicalType\":\"timestamp-millis\"");
    }

    @Test
    void shouldNameSubjectsByTheStrategyAskedFor() {
        config.put("value.subject.name.strategy", "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy");
        write(Samples.smallPrompt());
        config.put("value.subject.name.strategy", "RecordNameStrategy");
        write(Samples.smallPrompt());
        assertThat(registry()
                        .latest("prompts-io.millrace.schemas.PromptRequest")
                        .id())
                .isEqualTo(1);
        assertThat(registry().latest("io.millrace.schemas.PromptRequest").id()).isEqualTo(1);
        assertThatThrownBy(() -> registry().latest("prompts-value"))
                .hasMessage("subject=prompts-value, expected=one that is registered in mock://" + scope);
    }

    @Test
    void shouldReadTheHeaderFormByGuidAndById() {
        byte[] prefixed = write(Samples.fullPrompt());
        byte[] bare = Arrays.copyOfRange(prefixed, 5, prefixed.length);
        UUID guid = MockSchemaRegistry.guid(registry().latest("prompts-value").schema());
        byte[] byGuid = ByteBuffer.allocate(17)
                .put((byte) 1)
                .putLong(guid.getMostSignificantBits())
                .putLong(guid.getLeastSignificantBits())
                .array();
        assertThat(readWithHeader(byGuid, bare)).isEqualTo(Samples.fullPrompt());
        assertThat(readWithHeader(new byte[] {0, 0, 0, 0, 1}, bare)).isEqualTo(Samples.fullPrompt());
    }

    @Test
    void shouldSayWhatIsWrongWithAHeader() {
        assertThatThrownBy(() -> readWithHeader(new byte[] {1, 2, 3}, new byte[1]))
                .isInstanceOf(SerializationException.class)
                .hasMessage("header __value_schema_id=0x010203, expected=0x01 and a 16-byte GUID, or 0x00 and a 4-byte"
                        + " schema id");
        assertThatThrownBy(() -> readWithHeader(new byte[17], new byte[1]))
                .hasMessageStartingWith("header __value_schema_id=0x0000000000000000000000000000000000, expected=");
        byte[] unknown = new byte[17];
        unknown[0] = 1;
        assertThatThrownBy(() -> readWithHeader(unknown, new byte[1]))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema guid=00000000-0000-0000-0000-000000000000, expected=one that is registered in"
                        + " mock://" + scope);
    }

    @Test
    void shouldDropAPassedOnSchemaHeaderOnWrite() {
        for (String format : new String[] {"avro", "json"}) {
            config.put("value.format", format);
            RecordHeaders headers = new RecordHeaders();
            headers.add("__value_schema_id", new byte[17]).add("traceparent", new byte[] {1});
            try (Serializer<InferenceResult> serializer = RecordSerdes.serializer(InferenceResult.class, config)) {
                serializer.serialize(TOPIC, headers, Samples.result());
            }
            assertThat(headers.toArray()).extracting(header -> header.key()).containsExactly("traceparent");
        }
    }

    @Test
    void shouldRefuseWhatIsNoFrame() {
        assertUndecodable(
                "", "size=0 bytes, expected=at least 5 (0x00 and a 4-byte schema id) or a header __value_schema_id");
        assertUndecodable(
                "\0\0\0\1",
                "size=4 bytes, expected=at least 5 (0x00 and a 4-byte schema id) or a header __value_schema_id");
        assertUndecodable("hello", "first byte=0x68, expected=0x00 and a 4-byte schema id");
        assertUndecodable(
                "{\"prompt\":\"a\"}",
                "first byte=0x7b, expected=0x00 and a 4-byte schema id; this looks like JSON: set value.format=json");
        assertUndecodable("\0\0\0\0\7rest", "schema id=7, expected=one that is registered in mock://" + scope);
    }

    @Test
    void shouldRefuseTruncatedValuesAtEveryLength() {
        byte[] bytes = write(Samples.fullPrompt());
        for (int length = 5; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> read(PromptRequest.class, cut)).isInstanceOf(SerializationException.class);
        }
        byte[] cut = Arrays.copyOf(bytes, 20);
        assertThatThrownBy(() -> read(PromptRequest.class, cut))
                .hasMessage("value of 15 bytes with schema id=1, expected=Avro of io.millrace.schemas.PromptRequest: it"
                        + " ends early");
    }

    @Test
    void shouldRefuseBytesLeftOver() {
        byte[] bytes = write(Samples.smallPrompt());
        byte[] longer = Arrays.copyOf(bytes, bytes.length + 3);
        assertThatThrownBy(() -> read(PromptRequest.class, longer))
                .isInstanceOf(SerializationException.class)
                .hasMessageEndingWith("expected=Avro of io.millrace.schemas.PromptRequest: 3 bytes are left over");
    }

    @Test
    void shouldThrowNothingElseForFlippedBits() {
        byte[] bytes = write(Samples.fullPrompt());
        for (int bit = 5 * 8; bit < bytes.length * 8; bit++) {
            byte[] flipped = bytes.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                read(PromptRequest.class, flipped);
            } catch (SerializationException expected) {
                assertThat(expected).hasMessageContaining("expected=Avro of");
            }
        }
    }

    /** 2^31 - 9 is the most that Avro itself allows: it must fail for lack of bytes, not of heap. */
    @Test
    void shouldNotAllocateWhatALengthClaims() throws IOException {
        write(Samples.smallPrompt());
        ByteArrayOutputStream claims = new ByteArrayOutputStream();
        claims.writeBytes(new byte[] {0, 0, 0, 0, 1, 2}); // request_id is a string
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(claims, null);
        encoder.writeLong(Integer.MAX_VALUE - 8);
        assertThatThrownBy(() -> read(PromptRequest.class, claims.toByteArray()))
                .isInstanceOf(SerializationException.class)
                .hasMessageEndingWith("it ends early");

        claims.reset();
        claims.writeBytes(new byte[] {0, 0, 0, 0, 1, 0, 0, 2, 'x', 0, 2}); // messages is an array
        encoder.writeLong(Integer.MAX_VALUE - 8);
        assertThatThrownBy(() -> read(PromptRequest.class, claims.toByteArray()))
                .isInstanceOf(SerializationException.class)
                .hasMessageEndingWith("it ends early");
    }

    @Test
    void shouldReadWhatAnOlderAndANewerSchemaWrote() throws IOException {
        Schema other = new Schema.Parser().parse("""
                        {"type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas", "fields": [
                          {"name": "added_later", "type": {"type": "map", "values": ["int", "string"]}},
                          {"name": "prompt", "type": "string"},
                          {"name": "max_tokens", "type": "int"}]}""");
        GenericRecord record = new GenericData.Record(other);
        record.put("added_later", Map.of("a", 1, "b", "two"));
        record.put("prompt", "Say hello.");
        record.put("max_tokens", 7);
        PromptRequest expected =
                PromptRequest.newBuilder(Samples.smallPrompt()).setMaxTokens(7).build();
        assertThat(read(PromptRequest.class, foreign(other, record))).isEqualTo(expected);
    }

    @Test
    void shouldReadAnUnknownSymbolAsUnknown() throws IOException {
        String newer = PortableSchema.of(InferenceFailure.getClassSchema())
                .toString()
                .replace("\"INVALID_REQUEST\"", "\"QUOTA_EXCEEDED\",\"INVALID_REQUEST\"");
        Schema schema = new Schema.Parser().parse(newer);
        byte[] bytes = write(Samples.failure());
        int id = registry().register("prompts-value", schema);
        byte[] asNewer = bytes.clone();
        ByteBuffer.wrap(asNewer).putInt(1, id);
        int code = new String(asNewer, UTF_8).indexOf("gpt-17") + 6;
        assertThat(asNewer[code]).isEqualTo((byte) (1 << 1)); // MODEL_NOT_FOUND, zigzag
        asNewer[code] = 0;
        assertThat(read(InferenceFailure.class, asNewer).getCode()).isEqualTo(FailureCode.UNKNOWN);
    }

    @Test
    void shouldRefuseASchemaThatCannotBeReadAsOurs() throws IOException {
        Schema other = SchemaBuilder.record("PromptRequest")
                .namespace("io.millrace.schemas")
                .fields()
                .requiredInt("prompt")
                .endRecord();
        GenericRecord record = new GenericData.Record(other);
        record.put("prompt", 1);
        assertThatThrownBy(() -> read(PromptRequest.class, foreign(other, record)))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith(
                        "value of 1 bytes with schema id=1, expected=Avro of io.millrace.schemas.PromptRequest: ")
                .hasMessageContaining("int");
    }

    @Test
    void shouldNameTheFieldThatARecordLacks() {
        assertThatThrownBy(() -> write(new InferenceResult()))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("record cannot be written as Avro: ")
                .hasMessageContaining("request_id");
    }

    @Test
    void shouldExpectTheSchemaWhereItMayNotRegisterIt() {
        config.put("auto.register.schemas", "false");
        assertThatThrownBy(() -> write(Samples.smallPrompt()))
                .isInstanceOf(SerializationException.class)
                .hasMessage(
                        "subject=prompts-value, expected=one with the schema of io.millrace.schemas.PromptRequest in"
                                + " mock://" + scope);
        registry().register("prompts-value", PortableSchema.of(PromptRequest.getClassSchema()));
        assertThat(read(PromptRequest.class, write(Samples.smallPrompt()))).isEqualTo(Samples.smallPrompt());
    }

    @Test
    void shouldWriteWithTheLatestSchemaOfTheSubject() {
        Schema latest = new Schema.Parser().parse("""
                        {"type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas", "fields": [
                          {"name": "max_tokens", "type": ["null", "int"], "default": null},
                          {"name": "note", "type": "string", "default": "none"},
                          {"name": "prompt", "type": ["null", "string"], "default": null}]}""");
        registry().register("prompts-value", latest);
        config.put("use.latest.version", true);
        byte[] bytes = write(Samples.smallPrompt());
        assertThat(new String(bytes, UTF_8)).isEqualTo("\0\0\0\0\1\0\10none\2\24Say hello.");
        assertThat(read(PromptRequest.class, bytes)).isEqualTo(Samples.smallPrompt());
    }

    @Test
    void shouldWriteWithItsOwnSchemaWhereThatIsTheLatest() {
        registry().register("prompts-value", PortableSchema.of(PromptRequest.getClassSchema()));
        config.put("use.latest.version", true);
        assertThat(read(PromptRequest.class, write(Samples.fullPrompt()))).isEqualTo(Samples.fullPrompt());
    }

    @Test
    void shouldRefuseALatestSchemaThatCannotReadOurs() {
        registry()
                .register(
                        "prompts-value",
                        SchemaBuilder.record("PromptRequest")
                                .namespace("io.millrace.schemas")
                                .fields()
                                .requiredString("made_up")
                                .endRecord());
        config.put("use.latest.version", true);
        assertThatThrownBy(() -> write(Samples.smallPrompt()))
                .isInstanceOf(SerializationException.class)
                .hasMessage("subject=prompts-value, expected=a latest schema that reads"
                        + " io.millrace.schemas.PromptRequest of this release (schema id=1 does not)");
    }

    @Test
    void shouldPassNullThrough() {
        try (Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, config);
                Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config)) {
            assertThat(serializer.serialize(TOPIC, null)).isNull();
            assertThat(deserializer.deserialize(TOPIC, null)).isNull();
        }
    }

    @Test
    void shouldKeepABoundedNumberOfSchemas() {
        BoundedCache<Integer, String> cache = new BoundedCache<>();
        for (int key = 0; key < 3 * BoundedCache.MAX_ENTRIES; key++) {
            cache.get(key, String::valueOf);
        }
        assertThat(cache.size()).isEqualTo(BoundedCache.MAX_ENTRIES);
        assertThat(cache.get(3 * BoundedCache.MAX_ENTRIES - 1, any -> "loaded again"))
                .isEqualTo("2999");
        assertThat(cache.get(0, any -> "loaded again")).isEqualTo("loaded again");
    }

    @Test
    void shouldRememberWhatTheRegistrySaid() {
        SchemaRef.Id id = new SchemaRef.Id(1);
        byte[] bytes = write(Samples.smallPrompt());
        CountingRegistry counting = new CountingRegistry(registry());
        try (AvroRecordDeserializer<PromptRequest> deserializer =
                        new AvroRecordDeserializer<>(PromptRequest.class, counting);
                AvroRecordSerializer<PromptRequest> serializer =
                        new AvroRecordSerializer<>(PromptRequest.class, RegistryConfig.of(config), counting)) {
            for (int i = 0; i < 3; i++) {
                deserializer.deserialize(TOPIC, bytes);
                serializer.serialize(TOPIC, Samples.smallPrompt());
            }
        }
        assertThat(counting.asked).containsExactly(id.toString(), "register prompts-value");
    }

    private MockSchemaRegistry registry() {
        return MockSchemaRegistry.scope(scope);
    }

    private byte[] foreign(Schema schema, GenericRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int id = registry().register("prompts-value", schema);
        bytes.writeBytes(ByteBuffer.allocate(5).putInt(1, id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        return bytes.toByteArray();
    }

    private void assertUndecodable(String bytes, String message) {
        assertThatThrownBy(() -> read(PromptRequest.class, bytes.getBytes(UTF_8)))
                .isInstanceOf(SerializationException.class)
                .hasMessage(message);
    }

    private PromptRequest readWithHeader(byte[] header, byte[] value) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("__value_schema_id", header);
        try (Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config)) {
            return deserializer.deserialize(TOPIC, headers, value);
        }
    }

    private SpecificRecord roundTrip(SpecificRecord record) {
        return read(record.getClass(), write(record));
    }

    private <T extends SpecificRecord> T read(Class<T> type, byte[] bytes) {
        try (Deserializer<T> deserializer = RecordSerdes.deserializer(type, config)) {
            return deserializer.deserialize(TOPIC, bytes);
        }
    }

    private byte[] write(SpecificRecord record) {
        return write(record.getClass(), record);
    }

    private <T extends SpecificRecord> byte[] write(Class<T> type, SpecificRecord record) {
        try (Serializer<T> serializer = RecordSerdes.serializer(type, config)) {
            return requireNonNull(serializer.serialize(TOPIC, type.cast(record)));
        }
    }
}
