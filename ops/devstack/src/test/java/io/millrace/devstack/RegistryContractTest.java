package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the serdes expect of a registry, asked of a real one. */
@WithRegistry
class RegistryContractTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMA_ID_HEADER = "__value_schema_id";
    private static final int PREFIX_BYTES = 5;
    private static final PromptRequest PROMPT =
            PromptRequest.newBuilder().setPrompt("Grüße").setMaxTokens(7).build();

    @TempDir
    static Path folder;

    private static SchemaRegistryServer registry;

    @BeforeAll
    static void start() throws Exception {
        registry = SchemaRegistryServer.start(TestRegistry.distribution(), folder, OptionalInt.empty());
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    @Test
    void shouldWriteAndReadByTheIdThatTheRegistryGives() throws Exception {
        byte[] value = serializer(Map.of()).serialize("by-id", PROMPT);

        assertThat(reader().deserialize("by-id", value)).isEqualTo(PROMPT);
        JsonNode registered = get("/subjects/by-id-value/versions/1");
        assertThat(registered.path("id").asInt()).isEqualTo(idOf(value));
        assertThat(new Schema.Parser().parse(registered.path("schema").asText()).getFullName())
                .isEqualTo(PromptRequest.getClassSchema().getFullName());
    }

    @Test
    void shouldFindWhatIsRegistered() {
        int id = idOf(serializer(Map.of()).serialize("found", PROMPT));
        for (Map<String, String> how :
                List.of(Map.of("auto.register.schemas", "false"), Map.of("use.latest.version", "true"))) {
            assertThat(idOf(serializer(how).serialize("found", PROMPT)))
                    .as("%s", how)
                    .isEqualTo(id);
            assertThatThrownBy(() -> serializer(how).serialize("not-found", PROMPT))
                    .as("%s", how)
                    .isInstanceOf(SerializationException.class)
                    .isNotInstanceOf(RegistryUnavailableException.class)
                    .hasMessageStartingWith("subject=not-found-value, expected=one ");
        }
    }

    @Test
    void shouldReadTheHeaderFormByIdAndRefuseAGuidThatTheRegistryDoesNotKnow() {
        byte[] value = serializer(Map.of()).serialize("headers", PROMPT);
        byte[] body = Arrays.copyOfRange(value, PREFIX_BYTES, value.length);
        var byId = new RecordHeaders().add(SCHEMA_ID_HEADER, Arrays.copyOf(value, PREFIX_BYTES));
        assertThat(reader().deserialize("headers", byId, body)).isEqualTo(PROMPT);

        // this registry has no GUIDs at all: such a record is told to be unreadable, and does not wait for ever
        byte[] guid =
                ByteBuffer.allocate(17).put((byte) 1).putLong(1).putLong(2).array();
        var byGuid = new RecordHeaders().add(SCHEMA_ID_HEADER, guid);
        assertThatThrownBy(() -> reader().deserialize("headers", byGuid, body))
                .isInstanceOf(SerializationException.class)
                .isNotInstanceOf(RegistryUnavailableException.class)
                .hasMessageStartingWith(
                        "schema guid=00000000-0000-0001-0000-000000000002, expected=one that the registry knows");
    }

    @Test
    void shouldRefuseAnIdThatTheRegistryDoesNotKnow() {
        byte[] value = serializer(Map.of()).serialize("unknown", PROMPT);
        ByteBuffer.wrap(value).putInt(1, 999_999);
        assertThatThrownBy(() -> reader().deserialize("unknown", value))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("schema id=999999, expected=one that the registry knows (");
    }

    @Test
    void shouldSayThatASchemaIsIncompatibleWithItsSubject() {
        register("incompatible-value", """
                {"type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas",
                 "fields": [{"name": "priority", "type": "string"}]}""", List.of());

        assertThatThrownBy(() -> serializer(Map.of()).serialize("incompatible", PROMPT))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("schema of io.millrace.schemas.PromptRequest for subject=incompatible-value,"
                        + " expected=one that the registry takes (")
                .hasMessageContaining("409");
    }

    @Test
    void shouldTakeOurSchemaAfterAPartOfIt() {
        register("part-value", """
                {"type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas",
                 "fields": [{"name": "prompt", "type": "string"}]}""", List.of());

        byte[] value = serializer(Map.of()).serialize("part", PROMPT);
        assertThat(reader().deserialize("part", value)).isEqualTo(PROMPT);
    }

    @Test
    void shouldFollowReferences() throws Exception {
        String turn = """
                {"type": "record", "name": "Message", "namespace": "io.millrace.schemas",
                 "fields": [{"name": "role", "type": "string"}, {"name": "content", "type": ["null", "string"]}]}""";
        String prompt = """
                {"type": "record", "name": "PromptRequest", "namespace": "io.millrace.schemas",
                 "fields": [{"name": "messages", "type": {"type": "array", "items": "io.millrace.schemas.Message"}}]}""";
        register("turn", turn, List.of());
        ObjectNode reference = JSON.createObjectNode()
                .put("name", "io.millrace.schemas.Message")
                .put("subject", "turn")
                .put("version", 1);
        int id = register("referring-value", prompt, List.of(reference));

        Schema.Parser parser = new Schema.Parser();
        Schema turnSchema = parser.parse(turn);
        Schema promptSchema = parser.parse(prompt);
        GenericRecord message = new GenericRecordBuilder(turnSchema)
                .set("role", "user")
                .set("content", "Hi")
                .build();
        GenericRecord record = new GenericRecordBuilder(promptSchema)
                .set("messages", List.of(message))
                .build();

        PromptRequest read = reader().deserialize("referring", frame(id, promptSchema, record));
        assertThat(read.getMessages()).singleElement().satisfies(each -> {
            assertThat(each.getRole()).isEqualTo("user");
            assertThat(each.getContent()).isEqualTo("Hi");
        });
    }

    private static byte[] frame(int id, Schema schema, GenericRecord record) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(0);
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
        var encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    private static Serializer<PromptRequest> serializer(Map<String, String> how) {
        return RecordSerdes.serializer(PromptRequest.class, config(how));
    }

    private static Deserializer<PromptRequest> reader() {
        return RecordSerdes.deserializer(PromptRequest.class, config(Map.of()));
    }

    private static Map<String, ?> config(Map<String, String> how) {
        Map<String, Object> config = new HashMap<>(how);
        config.put("schema.registry.url", registry.url());
        return config;
    }

    private static int idOf(byte[] value) {
        return ByteBuffer.wrap(value).getInt(1);
    }

    private static int register(String subject, String schema, List<ObjectNode> references) {
        ObjectNode body = JSON.createObjectNode().put("schema", schema);
        body.putArray("references").addAll(references);
        return send(HttpRequest.newBuilder(URI.create(registry.url() + "/subjects/" + subject + "/versions"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body.toString())))
                .path("id")
                .asInt();
    }

    private static JsonNode get(String path) {
        return send(HttpRequest.newBuilder(URI.create(registry.url() + path)));
    }

    private static JsonNode send(HttpRequest.Builder request) {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return JSON.readTree(answer.body());
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
