package io.millrace.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.avro.JsonProperties;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

/** RECORDS.md says what the schemas say. */
class RecordReferenceTest {

    private static final Path REFERENCE = Path.of("RECORDS.md");
    private static final String HEAD = """
            # The records

            Written from `src/main/avro` by `RecordReferenceTest`, which fails when the two differ and leaves the right text in
            `target/RECORDS.md`. Field names are those of JSON and of Avro. A field with a default may be left out; in JSON so may null.
            Instants are milliseconds since 1970-01-01 UTC, bytes are base64 in JSON, enums are their names.
            """;

    @Test
    void shouldSayWhatTheSchemasSay() throws IOException {
        StringBuilder text = new StringBuilder(HEAD);
        Map<String, Schema> types = new LinkedHashMap<>();
        SchemaCompatibilityTest.current().forEach(schema -> collect(schema, types));
        types.values().forEach(schema -> describe(schema, text));
        Files.createDirectories(Path.of("target"));
        Files.writeString(Path.of("target").resolve(REFERENCE), text);
        assertThat(Files.readString(REFERENCE)).isEqualTo(text.toString());
    }

    /** Records in the order in which they are met, the six first-level ones before their parts. */
    private static void collect(Schema schema, Map<String, Schema> types) {
        switch (schema.getType()) {
            case RECORD -> {
                if (types.putIfAbsent(schema.getName(), schema) == null) {
                    schema.getFields().forEach(field -> collect(field.schema(), types));
                }
            }
            case UNION -> schema.getTypes().forEach(branch -> collect(branch, types));
            case ARRAY -> collect(schema.getElementType(), types);
            default -> {
                // named in its field's row
            }
        }
    }

    private static void describe(Schema schema, StringBuilder text) {
        text.append("\n## ").append(schema.getName()).append("\n\n");
        text.append(schema.getDoc()).append("\n\n");
        text.append("| field | type | default | |\n| --- | --- | --- | --- |\n");
        for (Schema.Field field : schema.getFields()) {
            text.append("| `")
                    .append(field.name())
                    .append("` | ")
                    .append(type(field.schema()))
                    .append(" | ")
                    .append(field.hasDefaultValue() ? defaultOf(field) : "required")
                    .append(" | ")
                    .append(field.doc())
                    .append(" |\n");
        }
    }

    private static String defaultOf(Schema.Field field) {
        Object value = field.defaultVal();
        return value instanceof JsonProperties.Null ? "absent" : "`" + value + "`";
    }

    private static String type(Schema schema) {
        return switch (schema.getType()) {
            case UNION -> type(schema.getTypes().getLast());
            case RECORD -> "[" + schema.getName() + "](#" + schema.getName().toLowerCase(Locale.ROOT) + ")";
            case ENUM -> String.join(", ", schema.getEnumSymbols());
            case ARRAY -> "array of " + type(schema.getElementType());
            case MAP -> "map of " + type(schema.getValueType());
            case LONG -> schema.getLogicalType() instanceof LogicalTypes.TimestampMillis ? "instant" : "long";
            default -> schema.getType().getName();
        };
    }
}
