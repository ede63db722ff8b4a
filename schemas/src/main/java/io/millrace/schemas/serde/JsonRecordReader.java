package io.millrace.schemas.serde;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/** Turns one JSON object into a record, by the record's schema. */
final class JsonRecordReader<T extends SpecificRecord> {

    /** What an unknown field is. */
    enum UnknownFields {
        /** A slip of the person or program that wrote the record. */
        REJECT,
        /** From a newer version of Millrace. */
        IGNORE
    }

    private final Class<T> type;
    private final Schema schema;
    private final SpecificData model;
    private final UnknownFields unknownFields;

    JsonRecordReader(Class<T> type, UnknownFields unknownFields) {
        this.type = type;
        this.model = SpecificData.getForClass(type);
        this.schema = model.getSchema(type);
        this.unknownFields = unknownFields;
    }

    /** @throws InvalidFieldException if a field is unknown, missing or of the wrong type */
    T read(JsonNode object) {
        return type.cast(new Reading(object).record(object, schema, Path.ROOT));
    }

    /** Where in the record we are; written out only for an error. */
    private record Path(@Nullable Path parent, String step) {
        static final Path ROOT = new Path(null, "");

        Path field(String name) {
            return new Path(this, name);
        }

        Path element(int index) {
            return new Path(this, "[" + index + "]");
        }

        @Override
        public String toString() {
            String before = parent == null ? "" : parent.toString();
            return before + (before.isEmpty() || step.startsWith("[") ? "" : ".") + step;
        }
    }

    /** One record being read. */
    private final class Reading {
        private final JsonNode root;

        Reading(JsonNode root) {
            this.root = root;
        }

        private SpecificRecord record(JsonNode node, Schema recordSchema, Path path) {
            if (!node.isObject()) {
                throw wrong(path, node, "an object");
            }
            if (unknownFields == UnknownFields.REJECT) {
                rejectUnknown(node, recordSchema, path);
            }
            SpecificRecord record = (SpecificRecord) model.newRecord(null, recordSchema);
            for (Schema.Field field : recordSchema.getFields()) {
                record.put(field.pos(), fieldValue(node.get(field.name()), field, path.field(field.name())));
            }
            return record;
        }

        private @Nullable Object fieldValue(@Nullable JsonNode node, Schema.Field field, Path path) {
            boolean isNull = node != null && node.isNull();
            if (isNull && field.schema().isNullable()) {
                return null;
            }
            if ((node == null || isNull) && field.hasDefaultValue()) {
                return model.deepCopy(field.schema(), model.getDefaultValue(field));
            }
            if (node == null) {
                throw new InvalidFieldException(path.toString(), "absent", kind(field.schema()), root);
            }
            return value(node, field.schema(), path);
        }

        private @Nullable Object value(JsonNode node, Schema valueSchema, Path path) {
            return switch (valueSchema.getType()) {
                case RECORD -> record(node, valueSchema, path);
                case UNION -> node.isNull() ? null : value(node, nonNull(valueSchema), path);
                case ARRAY -> array(node, valueSchema, path);
                case MAP -> map(node, valueSchema, path);
                case ENUM -> symbol(node, valueSchema, path);
                case STRING -> string(node, path);
                case BYTES -> bytes(node, path);
                case INT -> (int) integer(node, valueSchema, path);
                case LONG -> longOrTime(integer(node, valueSchema, path), valueSchema);
                case FLOAT -> (float) number(node, valueSchema, path);
                case DOUBLE -> number(node, valueSchema, path);
                case BOOLEAN -> truth(node, path);
                case FIXED, NULL -> throw new IllegalStateException("schema type " + valueSchema.getType());
            };
        }

        private List<@Nullable Object> array(JsonNode node, Schema arraySchema, Path path) {
            if (!node.isArray()) {
                throw wrong(path, node, kind(arraySchema));
            }
            List<@Nullable Object> values = new ArrayList<>(node.size());
            for (JsonNode element : node) {
                values.add(value(element, arraySchema.getElementType(), path.element(values.size())));
            }
            return values;
        }

        private Map<String, @Nullable Object> map(JsonNode node, Schema mapSchema, Path path) {
            if (!node.isObject()) {
                throw wrong(path, node, kind(mapSchema));
            }
            Map<String, @Nullable Object> values = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : node.properties()) {
                Path entryPath = path.field(entry.getKey());
                values.put(entry.getKey(), value(entry.getValue(), mapSchema.getValueType(), entryPath));
            }
            return values;
        }

        private Object symbol(JsonNode node, Schema enumSchema, Path path) {
            String symbol = node.textValue();
            if (symbol != null && enumSchema.hasEnumSymbol(symbol)) {
                return model.createEnum(symbol, enumSchema);
            }
            String other = enumSchema.getEnumDefault();
            if (symbol != null && other != null && unknownFields == UnknownFields.IGNORE) {
                return model.createEnum(other, enumSchema);
            }
            String hint = symbol == null ? "" : hint(symbol, enumSchema.getEnumSymbols());
            throw wrong(path, node, kind(enumSchema) + hint);
        }

        private String string(JsonNode node, Path path) {
            String text = node.textValue();
            if (text == null) {
                throw wrong(path, node, "a string");
            }
            if (!WellFormed.isWellFormed(text)) {
                throw wrong(path, node, "text without lone surrogates");
            }
            return text;
        }

        private ByteBuffer bytes(JsonNode node, Path path) {
            try {
                if (node.isTextual()) {
                    return ByteBuffer.wrap(node.binaryValue());
                }
            } catch (IOException notBase64) {
                throw wrong(path, node, "bytes as base64");
            }
            throw wrong(path, node, "bytes as base64");
        }

        private long integer(JsonNode node, Schema integerSchema, Path path) {
            if (!node.isNumber() || !node.canConvertToExactIntegral()) {
                throw wrong(path, node, kind(integerSchema));
            }
            boolean isInt = integerSchema.getType() == Schema.Type.INT;
            if (isInt ? !node.canConvertToInt() : !node.canConvertToLong()) {
                long least = isInt ? Integer.MIN_VALUE : Long.MIN_VALUE;
                long most = isInt ? Integer.MAX_VALUE : Long.MAX_VALUE;
                throw wrong(path, node, "an integer from " + least + " to " + most);
            }
            return node.longValue();
        }

        private Object longOrTime(long value, Schema longSchema) {
            return isTime(longSchema) ? Instant.ofEpochMilli(value) : (Object) value;
        }

        private double number(JsonNode node, Schema numberSchema, Path path) {
            double value = node.isNumber() ? node.doubleValue() : notFinite(node, path);
            boolean isFloat = numberSchema.getType() == Schema.Type.FLOAT;
            if (node.isNumber() && !Double.isFinite(isFloat ? (float) value : value)) {
                throw new InvalidFieldException(
                        path.toString(), node.asText(), isFloat ? "a 32-bit number" : "a 64-bit number", root);
            }
            return value;
        }

        /** JSON has no literal for these three; they are written as strings. */
        private double notFinite(JsonNode node, Path path) {
            return switch (Optional.ofNullable(node.textValue()).orElse("")) {
                case "NaN" -> Double.NaN;
                case "Infinity" -> Double.POSITIVE_INFINITY;
                case "-Infinity" -> Double.NEGATIVE_INFINITY;
                default -> throw wrong(path, node, "a number");
            };
        }

        private boolean truth(JsonNode node, Path path) {
            if (!node.isBoolean()) {
                throw wrong(path, node, "true or false");
            }
            return node.booleanValue();
        }

        private void rejectUnknown(JsonNode node, Schema recordSchema, Path path) {
            for (Map.Entry<String, JsonNode> entry : node.properties()) {
                if (recordSchema.getField(entry.getKey()) == null) {
                    List<String> known = recordSchema.getFields().stream()
                            .map(Schema.Field::name)
                            .toList();
                    String hint = hint(entry.getKey(), known);
                    String expected = "a field of " + recordSchema.getName();
                    throw wrong(
                            path.field(entry.getKey()),
                            entry.getValue(),
                            expected + (hint.isEmpty() ? ": " + String.join(", ", known) : hint));
                }
            }
        }

        private InvalidFieldException wrong(Path path, JsonNode value, String expected) {
            String shown = WellFormed.repaired(value.toString());
            return new InvalidFieldException(WellFormed.repaired(path.toString()), shown, expected, root);
        }
    }

    private static String hint(String name, List<String> known) {
        return DidYouMean.suggest(name, known)
                .map(meant -> "; did you mean " + meant + "?")
                .orElse("");
    }

    private static Schema nonNull(Schema union) {
        return union.getTypes().stream()
                .filter(branch -> branch.getType() != Schema.Type.NULL)
                .findFirst()
                .orElseThrow();
    }

    /** A type in the words of an error message. */
    private static String kind(Schema schema) {
        return switch (schema.getType()) {
            case RECORD -> "an object";
            case ARRAY -> "an array of " + plural(schema.getElementType());
            case MAP -> "an object of " + plural(schema.getValueType());
            case ENUM -> "one of " + String.join(", ", schema.getEnumSymbols());
            case STRING -> "a string";
            case BYTES -> "bytes as base64";
            case INT, LONG -> isTime(schema) ? "an integer (milliseconds since 1970-01-01 UTC)" : "an integer";
            case FLOAT, DOUBLE -> "a number";
            case BOOLEAN -> "true or false";
            case UNION -> kind(nonNull(schema));
            case FIXED, NULL -> throw new IllegalStateException("schema type " + schema.getType());
        };
    }

    private static boolean isTime(Schema schema) {
        return schema.getLogicalType() instanceof LogicalTypes.TimestampMillis;
    }

    private static String plural(Schema schema) {
        return switch (schema.getType()) {
            case STRING -> "strings";
            case INT, LONG -> "integers";
            case FLOAT, DOUBLE -> "numbers";
            default -> "objects";
        };
    }
}
