package io.millrace.streams.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.streams.config.Key.NamedSections;
import io.millrace.streams.config.Key.Properties;
import io.millrace.streams.config.Key.Scalar;
import io.millrace.streams.config.Key.Section;
import java.math.BigDecimal;
import java.util.List;

/** The keys as a JSON Schema (2020-12), for editors that complete and check YAML. */
final class JsonSchemaWriter {
    private final ObjectMapper json = new ObjectMapper();

    ObjectNode write() {
        ObjectNode schema = json.createObjectNode()
                .put("$schema", "https://json-schema.org/draft/2020-12/schema")
                .put("title", "Millrace configuration");
        ObjectNode root = section(ConfigKeys.ROOT);
        schema.setAll(root);
        return schema;
    }

    private ObjectNode section(Section section) {
        ObjectNode node = types("object", "null").put("additionalProperties", false);
        ObjectNode properties = node.putObject("properties");
        for (Key key : section.keys()) {
            ObjectNode shape = switch (key.shape()) {
                case Scalar scalar -> scalar(scalar.type());
                case Section inner -> section(inner);
                case NamedSections named -> named(named);
                case Properties ignored -> properties();
                case Key.NamedValues values -> namedValues(values);
                case Key.Json ignored -> types("object", "null");
            };
            properties.set(key.name(), describe(key, shape));
        }
        return node;
    }

    private ObjectNode describe(Key key, ObjectNode shape) {
        String unit = key.unit().isEmpty() ? "" : " Unit: " + key.unit() + ".";
        String fallback = switch (key.fallback()) {
            case Key.Fixed fixed -> fixed.text();
            case Key.Derived derived -> derived.how();
        };
        shape.put("description", key.doc() + unit + " Default: " + fallback + ".");
        if (key.fallback() instanceof Key.Fixed fixed && key.shape() instanceof Scalar scalar) {
            shape.set("default", value(scalar.type(), fixed.text()));
        }
        return shape;
    }

    private JsonNode value(ValueType type, String text) {
        return switch (type) {
            case ValueType.Whole whole -> json.getNodeFactory().numberNode(Long.parseLong(text));
            case ValueType.Decimal decimal -> json.getNodeFactory().numberNode(Double.parseDouble(text));
            case ValueType.Bool bool -> json.getNodeFactory().booleanNode(Boolean.parseBoolean(text));
            default -> json.getNodeFactory().textNode(text);
        };
    }

    private ObjectNode named(NamedSections named) {
        ObjectNode node = types("object", "null");
        node.putObject("propertyNames")
                .put("pattern", "^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$")
                .put("maxLength", 120);
        node.set("additionalProperties", section(named.section()));
        return node;
    }

    private ObjectNode namedValues(Key.NamedValues named) {
        ObjectNode node = types("object", "null");
        node.set("additionalProperties", scalar(named.type()));
        return node;
    }

    private ObjectNode properties() {
        ObjectNode node = types("object", "null");
        node.set("additionalProperties", types("string", "number", "boolean", "null"));
        return node;
    }

    private ObjectNode scalar(ValueType type) {
        return switch (type) {
            case ValueType.Whole whole ->
                orVariable(types("integer", "null").put("minimum", whole.min()).put("maximum", whole.max()));
            case ValueType.Decimal decimal ->
                orVariable(types("number", "null")
                        .put(decimal.aboveMin() ? "exclusiveMinimum" : "minimum", decimal.min())
                        .put("maximum", decimal.max()));
            case ValueType.Bytes bytes ->
                orVariable(
                        types("integer", "null").put("minimum", bytes.min()).put("maximum", bytes.max()),
                        pattern(ValueType.Bytes.FORM));
            case ValueType.Time time -> orVariable(types("null"), pattern(ValueType.Time.FORM));
            case ValueType.Bool bool -> orVariable(types("boolean", "null"));
            case ValueType.Choice choice -> orVariable(types("null"), words(choice.words()));
            case ValueType.Text text -> orVariable(types("number", "null"), pattern(text.form()));
            case ValueType.Url url ->
                orVariable(types("null"), pattern("(" + String.join("|", url.schemes()) + ")://.+"));
            case ValueType.SecretPlace secret -> orVariable(types("null"), pattern(ValueType.SecretPlace.FORM));
            case ValueType.Linear linear -> orVariable(types("null"), pattern(ValueType.Linear.FORM));
            case ValueType.Source source -> orVariable(types("null"), pattern("(file|https?|hf|pypi):.+"));
        };
    }

    private ObjectNode words(List<String> words) {
        ObjectNode node = json.createObjectNode();
        ArrayNode values = node.putArray("enum");
        words.forEach(values::add);
        words.stream()
                .filter(word -> word.matches("[0-9.]+"))
                .map(BigDecimal::new)
                .forEach(values::add);
        return node;
    }

    private ObjectNode pattern(String form) {
        return types("string").put("pattern", "^(?:" + form + ")$");
    }

    /** Any value may come from an environment variable. */
    private ObjectNode orVariable(ObjectNode... alternatives) {
        ObjectNode node = json.createObjectNode();
        ArrayNode anyOf = node.putArray("anyOf");
        List.of(alternatives).forEach(anyOf::add);
        anyOf.add(types("string").put("pattern", "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}"));
        return node;
    }

    private ObjectNode types(String... types) {
        ObjectNode node = json.createObjectNode();
        if (types.length == 1) {
            return node.put("type", types[0]);
        }
        List.of(types).forEach(node.putArray("type")::add);
        return node;
    }
}
