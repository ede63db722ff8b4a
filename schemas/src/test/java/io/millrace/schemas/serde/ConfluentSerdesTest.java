package io.millrace.schemas.serde;

import static io.millrace.schemas.serde.FakeRegistry.respond;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.FakeRegistry.Request;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Confluent's own Java serializers and ours read each other. Runs in the profile {@code confluent} only, which has their jar. */
@Tag("confluent")
class ConfluentSerdesTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> schemas = new CopyOnWriteArrayList<>(); // the schema of id i is at i - 1
    private final FakeRegistry registry = FakeRegistry.start(this::answer);
    private final Map<String, Object> ours = Map.of("schema.registry.url", registry.url());
    private final Map<String, Object> theirs = Map.of(
            "schema.registry.url", registry.url(),
            "value.serializer.class", "io.confluent.kafka.serializers.KafkaAvroSerializer",
            "value.deserializer.class", "io.confluent.kafka.serializers.KafkaAvroDeserializer",
            "avro.remove.java.properties", "true");

    @AfterEach
    void stop() {
        registry.close();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.schemas.serde.Samples#everyKind")
    void shouldReadEachOther(SpecificRecord record) {
        assertThat(read(record.getClass(), theirs, write(record, ours))).isEqualTo(record);
        assertThat(read(record.getClass(), ours, write(record, theirs))).isEqualTo(record);
    }

    @ParameterizedTest
    @MethodSource("io.millrace.schemas.serde.Samples#everyKind")
    void shouldWriteTheSameBytes(SpecificRecord record) {
        assertThat(write(record, ours)).isEqualTo(write(record, theirs));
    }

    @Test
    void shouldFailAlike() {
        byte[] unknownId = {0, 0, 0, 1, 0, 0};
        for (Map<String, Object> config : List.of(ours, theirs)) {
            assertThatThrownBy(() -> read(PromptRequest.class, config, unknownId))
                    .isInstanceOf(SerializationException.class);
        }
        registry.script(FakeRegistry.always(503, "{\"error_code\":50301,\"message\":\"down\"}"));
        for (Map<String, Object> config : List.of(ours, theirs)) {
            assertThatThrownBy(() -> read(PromptRequest.class, config, unknownId))
                    .isInstanceOf(RegistryUnavailableException.class);
        }
    }

    private void answer(Request request) throws IOException {
        if (request.line().startsWith("POST")) {
            String schema = JSON.readTree(request.body()).path("schema").asText();
            if (!schemas.contains(schema)) {
                schemas.add(schema);
            }
            respond(request, 200, "{\"id\":" + (schemas.indexOf(schema) + 1) + "}");
            return;
        }
        int id = Integer.parseInt(request.line().replaceAll("^GET /schemas/ids/(\\d+).*", "$1"));
        if (id > schemas.size()) {
            respond(request, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        } else {
            String answer =
                    JSON.createObjectNode().put("schema", schemas.get(id - 1)).toString();
            respond(request, 200, answer);
        }
    }

    private static byte[] write(SpecificRecord record, Map<String, Object> config) {
        return write(record.getClass(), record, config);
    }

    private static <T extends SpecificRecord> byte[] write(
            Class<T> type, SpecificRecord record, Map<String, Object> config) {
        try (Serializer<T> serializer = RecordSerdes.serializer(type, config)) {
            return requireNonNull(serializer.serialize("frames", type.cast(record)));
        }
    }

    private static <T extends SpecificRecord> T read(Class<T> type, Map<String, Object> config, byte[] bytes) {
        try (Deserializer<T> deserializer = RecordSerdes.deserializer(type, config)) {
            return deserializer.deserialize("frames", bytes);
        }
    }
}
