package io.millrace.schemas.serde;

import static io.millrace.schemas.serde.FakeRegistry.always;
import static io.millrace.schemas.serde.FakeRegistry.respond;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.FakeRegistry.Script;
import io.millrace.schemas.serde.SchemaRegistry.Registered;
import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpSchemaRegistryTest {

    private static final String SCHEMA = "{\"schema\":\"\\\"int\\\"\"}";
    private static final SchemaRef ID = new SchemaRef.Id(7);

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Map<String, Object> config = new HashMap<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    @Test
    void shouldReadTheSchemaOfAnIdAndOfAGuid() {
        FakeRegistry server = server(always(200, SCHEMA));
        UUID guid = UUID.fromString("89791762-2336-4186-9674-299b90a802e2");
        SchemaRegistry registry = registry(server.url());
        assertThat(registry.byRef(ID)).isEqualTo(Schema.create(Schema.Type.INT));
        registry.byRef(new SchemaRef.Guid(guid));
        registry.byRef(new SchemaRef.Id(-1));
        assertThat(server.lines())
                .containsExactly(
                        "GET /schemas/ids/7",
                        "GET /schemas/guids/89791762-2336-4186-9674-299b90a802e2",
                        "GET /schemas/ids/-1");
        assertThat(server.requests.getFirst().header("Accept"))
                .isEqualTo("application/vnd.schemaregistry.v1+json, application/json");
        assertThat(server.requests.getFirst().header("Authorization")).isEqualTo("null");
    }

    @Test
    void shouldRegisterAndLookUp() {
        FakeRegistry server = server(always(200, "{\"id\":12}"));
        SchemaRegistry registry = registry(server.url());
        Schema schema = new Schema.Parser().parse("{\"type\":\"int\"}");
        assertThat(registry.register("a topic/ü-value", schema)).isEqualTo(12);
        assertThat(registry.idOf("plain-value", schema)).isEqualTo(12);
        assertThat(server.lines())
                .containsExactly(
                        "POST /subjects/a%20topic%2F%C3%BC-value/versions?normalize=false",
                        "POST /subjects/plain-value?normalize=false");
        assertThat(server.requests.getFirst().body()).isEqualTo("{\"schema\":\"\\\"int\\\"\"}");
        assertThat(server.requests.getFirst().header("Content-Type"))
                .isEqualTo("application/vnd.schemaregistry.v1+json");
    }

    @Test
    void shouldAskForNormalFormWhereConfigured() {
        FakeRegistry server = server(always(200, "{\"id\":12}"));
        config.put("normalize.schemas", "true");
        registry(server.url()).register("s", Schema.create(Schema.Type.INT));
        assertThat(server.lines()).containsExactly("POST /subjects/s/versions?normalize=true");
    }

    @Test
    void shouldReadTheLatestVersionOfASubject() {
        FakeRegistry server =
                server(always(200, "{\"subject\":\"s\",\"version\":3,\"id\":9,\"schema\":\"\\\"long\\\"\"}"));
        assertThat(registry(server.url()).latest("s")).isEqualTo(new Registered(9, Schema.create(Schema.Type.LONG)));
        assertThat(server.lines()).containsExactly("GET /subjects/s/versions/latest");
    }

    @ParameterizedTest
    @CsvSource({"'/', ''", "'/api/registry', '/api/registry'", "'/apis/ccompat/v7///', '/apis/ccompat/v7'"})
    void shouldKeepThePathOfTheUrl(String path, String prefix) {
        FakeRegistry server = server(always(200, SCHEMA));
        registry(server.url() + path).byRef(ID);
        assertThat(server.lines()).containsExactly("GET " + prefix + "/schemas/ids/7");
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 504, 408, 429, 401, 403, 301, 404})
    void shouldTryTheNextUrlAndStayThere(int status) {
        FakeRegistry broken = server(always(status, ""));
        FakeRegistry working = server(always(200, SCHEMA));
        SchemaRegistry registry = registry(broken.url() + ", " + working.url());
        registry.byRef(ID);
        registry.byRef(ID);
        assertThat(broken.lines()).hasSize(1);
        assertThat(working.lines()).hasSize(2);
        working.script(always(503, ""));
        broken.script(always(200, SCHEMA));
        registry.byRef(ID);
        assertThat(broken.lines()).hasSize(2);
    }

    @Test
    void shouldTryTheNextUrlWhereNobodyListens() throws IOException {
        FakeRegistry working = server(always(200, SCHEMA));
        String dead = "http://localhost:" + unusedPort();
        assertThat(registry(dead + "," + working.url()).byRef(ID)).isEqualTo(Schema.create(Schema.Type.INT));
    }

    @Test
    void shouldSayWhatEachUrlAnsweredWhereNoneIsOfUse() throws IOException {
        FakeRegistry overloaded = server(always(503, "<html>\n  Service Unavailable</html>"));
        FakeRegistry proxy = server(always(200, "<html>log in</html>"));
        int dead = unusedPort();
        SchemaRegistry registry = registry(overloaded.url() + "," + proxy.url() + ",http://localhost:" + dead);
        assertThatThrownBy(() -> registry.byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessage("schema.registry.url=" + overloaded.url()
                        + " (HTTP 503: <html> Service Unavailable</html>), " + proxy.url()
                        + " (no JSON object: <html>log in</html>), http://localhost:" + dead
                        + " (ConnectException), expected=a schema registry that answers");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "OK", "{\"schema\":5}", "{\"schema\":null}", "{}", "{\"id\":1}"})
    void shouldCallARegistryThatAnswersGarbageUnavailable(String body) {
        SchemaRegistry registry = registry(server(always(200, body)).url());
        assertThatThrownBy(() -> registry.byRef(ID)).isInstanceOf(RegistryUnavailableException.class);
        assertThatThrownBy(() -> registry.latest("s")).isInstanceOf(RegistryUnavailableException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"id\":\"7\"}", "{\"id\":null}", "{\"id\":1.5}"})
    void shouldCallARegistryThatGivesNoIdUnavailable(String body) {
        SchemaRegistry registry = registry(server(always(200, body)).url());
        assertThatThrownBy(() -> registry.register("s", Schema.create(Schema.Type.INT)))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageStartingWith("schema of int for subject=s: the registry's answer has id=")
                .hasMessageEndingWith(", expected=an integer");
    }

    @Test
    void shouldCallAnUnknownIdUndecodable() {
        FakeRegistry server = server(always(404, "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}"));
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema id=7, expected=one that the registry knows (40403 Schema 7 not found)");
    }

    @Test
    void shouldNotTakeAWrongUrlsNotFoundForAnUnknownId() {
        FakeRegistry server = server(always(404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}"));
        assertThatThrownBy(() -> registry(server.url() + "/wrong").byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessage("schema.registry.url=" + server.url() + "/wrong (HTTP 404: {\"error_code\":404,"
                        + "\"message\":\"HTTP 404 Not Found\"}), expected=a schema registry that answers");
    }

    /** As Apicurio 3.3 answers for GUIDs: 404 and no body. */
    @ParameterizedTest
    @ValueSource(ints = {400, 404, 405})
    void shouldCallARecordUndecodableWhoseKindOfSchemaTheRegistryDoesNotKnow(int status) {
        UUID guid = UUID.fromString("89791762-2336-4186-9674-299b90a802e2");
        FakeRegistry server = server(request -> {
            boolean isId = request.line().endsWith("/schemas/ids/1");
            respond(
                    request,
                    isId ? 404 : status,
                    isId ? "{\"error_code\":40403,\"message\":\"Schema 1 not found\"}" : "");
        });
        assertThatThrownBy(() -> registry(server.url()).byRef(new SchemaRef.Guid(guid)))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema guid=" + guid + ", expected=one that the registry knows (" + server.url()
                        + " (HTTP " + status + ": ))");
        assertThat(server.lines()).containsExactly("GET /schemas/guids/" + guid, "GET /schemas/ids/1");
    }

    @ParameterizedTest
    @CsvSource({"409, 409, Schema is incompatible", "422, 42201, Invalid schema"})
    void shouldPassOnWhyASchemaIsRefused(int status, int code, String message) {
        FakeRegistry server = server(always(status, "{\"error_code\":" + code + ",\"message\":\"" + message + "\"}"));
        assertThatThrownBy(() -> registry(server.url()).register("s", Schema.create(Schema.Type.INT)))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema of int for subject=s, expected=one that the registry takes (" + code + " " + message
                        + ")");
    }

    @Test
    void shouldSayThatAutoRegistrationIsOff() {
        FakeRegistry server = server(always(404, "{\"error_code\":40401,\"message\":\"Subject 's' not found.\"}"));
        assertThatThrownBy(() -> registry(server.url()).idOf("s", Schema.create(Schema.Type.INT)))
                .isInstanceOf(SerializationException.class)
                .hasMessage("subject=s, expected=one with the schema of int, as auto.register.schemas is false (40401"
                        + " Subject 's' not found.)");
        assertThatThrownBy(() -> registry(server.url()).latest("s"))
                .hasMessage("subject=s, expected=one that is registered, as use.latest.version is true (40401 Subject"
                        + " 's' not found.)");
    }

    @Test
    void shouldRefuseSchemasOfOtherKinds() {
        FakeRegistry server = server(always(200, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax\"}"));
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema id=7 is of type PROTOBUF, expected=AVRO");
        server.script(always(200, "{\"schema\":\"{\\\"type\\\":\\\"nothing\\\"}\"}"));
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("schema id=7 is no Avro schema: ");
    }

    @Test
    void shouldFetchWhatASchemaRefersToOnce() {
        String outer = """
                {"schema":"{\\"type\\":\\"record\\",\\"name\\":\\"A\\",\\"fields\\":[{\\"name\\":\\"b\\",\\"type\\":\\"n.B\\"}]}",
                 "references":[{"name":"n.B","subject":"b value","version":2},{"name":"n.B","subject":"b value","version":2}]}""";
        String inner =
                "{\"schema\":\"{\\\"type\\\":\\\"enum\\\",\\\"name\\\":\\\"n.B\\\",\\\"symbols\\\":[\\\"X\\\"]}\"}";
        FakeRegistry server =
                server(request -> respond(request, 200, request.line().contains("ids") ? outer : inner));
        Schema schema = registry(server.url()).byRef(ID);
        assertThat(schema.getField("b").schema().getEnumSymbols()).containsExactly("X");
        assertThat(server.lines()).containsExactly("GET /schemas/ids/7", "GET /subjects/b%20value/versions/2");
    }

    @Test
    void shouldFollowABoundedNumberOfReferences() {
        FakeRegistry server = server(request -> {
            int next = request.line().contains("ids")
                    ? 1
                    : Integer.parseInt(request.line().replaceAll(".*/", "")) + 1;
            String reference = "{\"name\":\"B\",\"subject\":\"b\",\"version\":" + next + "}";
            respond(request, 200, "{\"schema\":\"\\\"int\\\"\",\"references\":[" + reference + "]}");
        });
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(SerializationException.class)
                .hasMessage("schema id=7 refers to more than 100 schemas");
    }

    @Test
    void shouldGiveUpOnAnAnswerThatNeverComes() {
        CountDownLatch closed = new CountDownLatch(1);
        FakeRegistry server = server(request -> await(closed));
        assertNoAnswer(server);
        closed.countDown();
    }

    @Test
    void shouldGiveUpOnAnAnswerThatStopsInTheMiddle() {
        CountDownLatch closed = new CountDownLatch(1);
        FakeRegistry server = server(request -> {
            request.exchange().sendResponseHeaders(200, 1000);
            OutputStream out = request.exchange().getResponseBody();
            out.write('{');
            out.flush();
            await(closed);
        });
        assertNoAnswer(server);
        closed.countDown();
    }

    @Test
    void shouldNotReadAnEndlessAnswer() {
        FakeRegistry server = server(request -> {
            request.exchange().sendResponseHeaders(200, 0);
            try (OutputStream out = request.exchange().getResponseBody()) {
                byte[] blanks = new byte[1 << 16];
                for (int sent = 0; sent <= RegistryTransport.MAX_ANSWER_BYTES; sent += blanks.length) {
                    out.write(blanks);
                }
            }
        });
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("IOException");
    }

    @Test
    void shouldCallARegistryThatHangsUpUnavailable() {
        FakeRegistry server = server(request -> {
            request.exchange().sendResponseHeaders(200, 1000);
            request.exchange().getResponseBody().write('{');
            request.exchange().close();
        });
        assertThatThrownBy(() -> registry(server.url()).byRef(ID)).isInstanceOf(RegistryUnavailableException.class);
    }

    @Test
    void shouldEndWhenInterrupted() {
        CountDownLatch closed = new CountDownLatch(1);
        FakeRegistry server = server(request -> await(closed));
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> registry(server.url()).byRef(ID)).isInstanceOf(InterruptException.class);
        assertThat(Thread.interrupted()).isTrue();
        closed.countDown();
    }

    @Test
    void shouldAuthenticateAsConfigured() {
        FakeRegistry server = server(always(200, SCHEMA));
        config.put("basic.auth.credentials.source", "USER_INFO");
        config.put("basic.auth.user.info", "key:sécret");
        registry(server.url()).byRef(ID);
        assertThat(server.requests.getLast().header("Authorization")).isEqualTo("Basic a2V5OnPDqWNyZXQ=");

        config.clear();
        config.put("schema.registry.basic.auth.credentials.source", "USER_INFO");
        config.put("schema.registry.basic.auth.user.info", "a:b");
        registry(server.url()).byRef(ID);
        assertThat(server.requests.getLast().header("Authorization")).isEqualTo("Basic YTpi");

        config.clear();
        config.put("bearer.auth.credentials.source", "STATIC_TOKEN");
        config.put("bearer.auth.token", "t0ken");
        config.put("bearer.auth.logical.cluster", "lsrc-1");
        registry(server.url()).byRef(ID);
        assertThat(server.requests.getLast().header("Authorization")).isEqualTo("Bearer t0ken");
        assertThat(server.requests.getLast().header("target-sr-cluster")).isEqualTo("lsrc-1");
    }

    @Test
    void shouldTakeCredentialsFromEachUrlAndNeverShowThem() {
        FakeRegistry first = server(always(401, "{\"error_code\":401,\"message\":\"Unauthorized\"}"));
        FakeRegistry second = server(always(200, SCHEMA));
        String urls =
                first.url().replace("//", "//ann:p%40ss@") + "," + second.url().replace("//", "//bob:secret@");
        registry(urls).byRef(ID);
        assertThat(first.requests.getLast().header("Authorization")).isEqualTo("Basic YW5uOnBAc3M=");
        assertThat(second.requests.getLast().header("Authorization")).isEqualTo("Basic Ym9iOnNlY3JldA==");
        second.script(always(503, ""));
        assertThatThrownBy(() -> registry(urls).byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("HTTP 401")
                .hasMessageNotContainingAny("p%40ss", "p@ss", "secret", "ann");
    }

    @Test
    void shouldNotFollowRedirectsAsTheyWouldCarryTheCredentialsAway() {
        FakeRegistry elsewhere = server(always(200, SCHEMA));
        FakeRegistry server = server(request -> {
            request.exchange().getResponseHeaders().add("Location", elsewhere.url() + "/x");
            respond(request, 302, "");
        });
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("(HTTP 302 to " + elsewhere.url() + "/x: )");
        assertThat(elsewhere.lines()).isEmpty();
    }

    @Test
    void shouldServeASerializerAndADeserializer() {
        String schema = PortableSchema.of(PromptRequest.getClassSchema()).toString();
        String escaped = schema.replace("\\", "\\\\").replace("\"", "\\\"");
        FakeRegistry server = server(request -> respond(
                request, 200, request.line().startsWith("POST") ? "{\"id\":300}" : "{\"schema\":\"" + escaped + "\"}"));
        config.put("schema.registry.url", List.of(server.url(), "http://localhost:1"));
        try (Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, config);
                Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config)) {
            for (int i = 0; i < 3; i++) {
                byte[] bytes = requireNonNull(serializer.serialize("prompts", Samples.fullPrompt()));
                assertThat(deserializer.deserialize("prompts", bytes)).isEqualTo(Samples.fullPrompt());
            }
        }
        assertThat(server.lines())
                .containsExactly("POST /subjects/prompts-value/versions?normalize=false", "GET /schemas/ids/300");
    }

    @Test
    void shouldAskAgainAfterAnOutage() {
        FakeRegistry server = server(always(503, ""));
        config.put("schema.registry.url", server.url());
        byte[] frame = {0, 0, 0, 0, 7, 2};
        try (Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config)) {
            assertThatThrownBy(() -> deserializer.deserialize("prompts", frame))
                    .isInstanceOf(RegistryUnavailableException.class);
            String empty = "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"io.millrace.schemas.PromptRequest\\\","
                    + "\\\"fields\\\":[{\\\"name\\\":\\\"priority\\\",\\\"type\\\":\\\"int\\\"}]}";
            server.script(always(200, "{\"schema\":\"" + empty + "\"}"));
            assertThat(deserializer.deserialize("prompts", frame).getPriority()).isEqualTo(1);
        }
    }

    private void assertNoAnswer(FakeRegistry server) {
        config.put("http.connect.timeout.ms", "100");
        config.put("schema.registry.http.read.timeout.ms", "200");
        assertThatThrownBy(() -> registry(server.url()).byRef(ID))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessage("schema.registry.url=" + server.url()
                        + " (no answer in 300 ms), expected=a schema registry that answers");
    }

    private FakeRegistry server(Script script) {
        FakeRegistry server = FakeRegistry.start(script);
        opened.add(server);
        return server;
    }

    private SchemaRegistry registry(String urls) {
        config.put("schema.registry.url", urls);
        SchemaRegistry registry = SchemaRegistry.open(RegistryConfig.of(config));
        opened.add(registry);
        return registry;
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
