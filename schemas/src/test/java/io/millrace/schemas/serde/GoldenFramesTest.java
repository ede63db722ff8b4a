package io.millrace.schemas.serde;

import static io.millrace.schemas.serde.FakeRegistry.respond;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.FakeRegistry.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

/** What Confluent's own client writes, we read, and the other way round; ops/golden/schemas_frames.py is the other side. */
class GoldenFramesTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FIRST_ID = 100_001;

    @Test
    void shouldReadWhatConfluentsClientWrote() throws Exception {
        JsonNode golden = JSON.readTree(GOLDEN.resolve("frames-confluent.json").toFile());
        assertThat(golden.path("made_by").asText()).startsWith("confluent-kafka ");
        assertThat(golden.path("frames")).hasSize(16);
        try (FakeRegistry registry =
                FakeRegistry.start(request -> find((ArrayNode) golden.path("registry"), request))) {
            for (JsonNode frame : golden.path("frames")) {
                Class<? extends SpecificRecord> type = type(frame.path("record").asText());
                SpecificRecord expected = new JsonRecordDeserializer<>(type)
                        .deserialize("frames", frame.path("json").toString().getBytes(UTF_8));
                assertThat(read(type, registry, frame)).as(frame.toString()).isEqualTo(expected);
            }
            assertThat(registry.lines()).anyMatch(line -> line.startsWith("GET /schemas/guids/"));
            assertThat(registry.lines()).anyMatch(line -> line.startsWith("GET /schemas/ids/1000"));
        }
    }

    /** The committed frames are those that Confluent's client has read; if this differs, verify target/golden's and commit it. */
    @Test
    void shouldWriteWhatConfluentsClientRead() throws Exception {
        ObjectNode made = JSON.createObjectNode();
        ArrayNode schemas = made.putArray("registry");
        ArrayNode frames = made.putArray("frames");
        try (FakeRegistry registry = FakeRegistry.start(request -> register(schemas, request))) {
            for (SpecificRecord record : Samples.everyKind()) {
                frames.add(JSON.createObjectNode()
                        .put("record", record.getSchema().getName())
                        .put("value", HexFormat.of().formatHex(write(record, registry)))
                        .set("json", JSON.readTree(new JsonRecordSerializer<>().serialize("frames", record))));
            }
        }
        Path written = Files.createDirectories(Path.of("target/golden")).resolve("frames-millrace.json");
        JSON.writeValue(written.toFile(), made);
        JsonNode golden = JSON.readTree(GOLDEN.resolve("frames-millrace.json").toFile());
        assertThat(golden.path("read_by").asText()).startsWith("confluent-kafka ");
        assertThat(canonical(JSON.readTree(written.toFile()))).isEqualTo(canonical(golden));
        assertThat(JSON.readTree(written.toFile()).path("frames")).isEqualTo(golden.path("frames"));
    }

    /** The schemas without their documentation, which may change. */
    private static List<String> canonical(JsonNode golden) {
        return golden.path("registry")
                .valueStream()
                .map(known -> new Schema.Parser().parse(known.path("schema").toString()))
                .map(SchemaNormalization::toParsingForm)
                .toList();
    }

    private static <T extends SpecificRecord> T read(Class<T> type, FakeRegistry registry, JsonNode frame) {
        RecordHeaders headers = new RecordHeaders();
        frame.path("headers")
                .properties()
                .forEach(header -> headers.add(
                        header.getKey(),
                        HexFormat.of().parseHex(header.getValue().asText())));
        try (Deserializer<T> deserializer =
                RecordSerdes.deserializer(type, Map.of("schema.registry.url", registry.url()))) {
            byte[] value = HexFormat.of().parseHex(frame.path("value").asText());
            return deserializer.deserialize("frames", headers, value);
        }
    }

    private static byte[] write(SpecificRecord record, FakeRegistry registry) {
        return write(record.getClass(), record, registry);
    }

    private static <T extends SpecificRecord> byte[] write(
            Class<T> type, SpecificRecord record, FakeRegistry registry) {
        try (Serializer<T> serializer = RecordSerdes.serializer(type, Map.of("schema.registry.url", registry.url()))) {
            return requireNonNull(serializer.serialize("frames", type.cast(record)));
        }
    }

    private static Class<? extends SpecificRecord> type(String name) throws ClassNotFoundException {
        return Class.forName(PromptRequest.class.getPackageName() + "." + name).asSubclass(SpecificRecord.class);
    }

    /** {@code GET /schemas/ids/100001} or {@code GET /schemas/guids/…} */
    private static void find(ArrayNode schemas, Request request) throws IOException {
        List<String> path = List.of(request.line().split("/", -1));
        String key = path.get(2).equals("ids") ? "id" : "guid";
        for (JsonNode known : schemas) {
            if (known.path(key).asText().equals(path.getLast())) {
                ObjectNode answer = JsonNodeFactory.instance.objectNode();
                respond(
                        request,
                        200,
                        answer.put("schema", known.path("schema").toString()).toString());
                return;
            }
        }
        respond(request, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
    }

    private static void register(ArrayNode schemas, Request request) throws IOException {
        JsonNode schema =
                JSON.readTree(JSON.readTree(request.body()).path("schema").asText());
        int index = 0;
        while (index < schemas.size() && !schemas.get(index).path("schema").equals(schema)) {
            index++;
        }
        if (index == schemas.size()) {
            schemas.add(JSON.createObjectNode().put("id", FIRST_ID + index).set("schema", schema));
        }
        respond(request, 200, "{\"id\":" + (FIRST_ID + index) + "}");
    }
}
