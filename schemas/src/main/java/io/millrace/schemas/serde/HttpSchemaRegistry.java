package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.millrace.schemas.serde.RegistryTransport.Answer;
import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.net.URLEncoder;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.kafka.common.errors.SerializationException;

/** Confluent's REST interface: Confluent's own registry, Apicurio's ccompat, Karapace, Redpanda. */
final class HttpSchemaRegistry implements SchemaRegistry {

    /** Most schemas that one schema may refer to, directly and by others. */
    private static final int MAX_REFERENCES = 100;

    private static final String ID_PATH = "/schemas/ids/";

    private final RegistryTransport transport;
    private final boolean normalize;

    HttpSchemaRegistry(RegistryConfig config) {
        this.transport = new RegistryTransport(config);
        this.normalize = config.normalize();
    }

    @Override
    public int register(String subject, Schema schema) {
        String what = "schema of " + schema.getFullName() + " for subject=" + subject;
        return id(what, post("/subjects/" + encode(subject) + "/versions", schema), "one that the registry takes");
    }

    @Override
    public int idOf(String subject, Schema schema) {
        String what = "subject=" + subject;
        String expected = "one with the schema of " + schema.getFullName() + ", as auto.register.schemas is false";
        return id(what, post("/subjects/" + encode(subject), schema), expected);
    }

    @Override
    public Registered latest(String subject) {
        String what = "subject=" + subject;
        JsonNode body = body(
                what,
                transport.get("/subjects/" + encode(subject) + "/versions/latest"),
                "one that is registered, as use.latest.version is true");
        return new Registered(id(what, body), schema(what, body));
    }

    @Override
    public Schema byRef(SchemaRef ref) {
        String path = switch (ref) {
            case SchemaRef.Id(int id) -> ID_PATH + id;
            case SchemaRef.Guid(UUID guid) -> "/schemas/guids/" + guid;
        };
        Answer answer = transport.get(path);
        if (answer instanceof Answer.NoSuchPath none && isRegistry()) {
            throw new SerializationException(ref + ", expected=one that the registry knows (" + none.reasons() + ")");
        }
        return schema(ref.toString(), body(ref.toString(), answer, "one that the registry knows"));
    }

    /**
     * Whether a registry is there after all. Some know no GUIDs, and say so as a web server does that knows nothing; a record that
     * asks for one must not hold up the others for ever.
     */
    private boolean isRegistry() {
        return !(transport.get(ID_PATH + 1) instanceof Answer.NoSuchPath);
    }

    @Override
    public void close() {
        transport.close();
    }

    private Answer post(String path, Schema schema) {
        JsonNode request = JsonNodeFactory.instance.objectNode().put("schema", schema.toString());
        return transport.post(path + "?normalize=" + normalize, request);
    }

    private static JsonNode body(String what, Answer answer, String expected) {
        return switch (answer) {
            case Answer.Ok(JsonNode body) -> body;
            case Answer.No no -> throw new SerializationException(what + ", expected=" + expected + " (" + no + ")");
            case Answer.NoSuchPath none -> throw none.unavailable();
        };
    }

    private static int id(String what, Answer answer, String expected) {
        return id(what, body(what, answer, expected));
    }

    private static int id(String what, JsonNode body) {
        JsonNode id = body.path("id");
        if (!id.isInt()) {
            throw new RegistryUnavailableException(
                    what + ": the registry's answer has id=" + id + ", expected=an integer");
        }
        return id.intValue();
    }

    private Schema schema(String what, JsonNode body) {
        Schema.Parser parser = new Schema.Parser().setValidateDefaults(false);
        return parse(what, body, parser, new HashSet<>());
    }

    /** Parses the schemas that this one refers to, then this one. */
    private Schema parse(String what, JsonNode body, Schema.Parser parser, Set<String> seen) {
        String type = body.path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw new SerializationException(what + " is of type " + type + ", expected=AVRO");
        }
        for (JsonNode reference : body.path("references")) {
            String subject = reference.path("subject").asText();
            String path = "/subjects/" + encode(subject) + "/versions/"
                    + reference.path("version").asInt();
            if (seen.add(path)) {
                if (seen.size() > MAX_REFERENCES) {
                    throw new SerializationException(what + " refers to more than " + MAX_REFERENCES + " schemas");
                }
                parse(what, body(what, transport.get(path), "references that the registry knows"), parser, seen);
            }
        }
        JsonNode text = body.path("schema");
        if (!text.isTextual()) {
            throw new RegistryUnavailableException(
                    what + ": the registry's answer has schema=" + text + ", expected=a string");
        }
        try {
            return parser.parse(text.textValue());
        } catch (AvroRuntimeException e) {
            throw new SerializationException(what + " is no Avro schema: " + e.getMessage(), e);
        }
    }

    private static String encode(String subject) {
        return URLEncoder.encode(subject, UTF_8).replace("+", "%20");
    }
}
