package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityResult;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Guards the .avsc files. {@code released/<version>/} holds each release's schemas: old data must stay readable, and a consumer that
 * was not upgraded must read new data (FULL, transitive). After a release, copy the schemas that this test prints for a missing file.
 */
class SchemaCompatibilityTest {

    private static final Path RELEASED = Path.of("src/test/resources/released");

    private static final List<Schema> CURRENT = Stream.of(
                    PromptRequest.getClassSchema(),
                    InferenceResult.getClassSchema(),
                    InferenceMetrics.getClassSchema(),
                    EngineInterval.getClassSchema(),
                    InferenceFailure.getClassSchema(),
                    ControlCommand.getClassSchema())
            .map(PortableSchema::of)
            .toList();

    static List<Schema> current() {
        return CURRENT;
    }

    @ParameterizedTest
    @MethodSource("current")
    void shouldReadReleasedDataAndBeReadByReleasedReaders(Schema current) throws IOException {
        List<Path> versions;
        try (Stream<Path> directories = Files.list(RELEASED)) {
            versions = directories.sorted().toList();
        }
        assertThat(versions).isNotEmpty();
        for (Path version : versions) {
            Path file = version.resolve(current.getName() + ".avsc");
            assertThat(file).as("expected content:%n%s", current).exists();
            Schema released = new Schema.Parser().parse(Files.readString(file));
            assertReads(current, released, version + " → current");
            assertReads(released, current, "current → " + version);
        }
    }

    @ParameterizedTest
    @MethodSource("current")
    void shouldDocumentEachTypeAndField(Schema current) {
        List<String> undocumented = new ArrayList<>();
        visit(current, (path, schema) -> {
            if (isBlank(schema.getDoc())) {
                undocumented.add(path);
            }
            fields(schema).forEach(field -> {
                if (isBlank(field.doc())) {
                    undocumented.add(path + "." + field.name());
                }
            });
        });
        assertThat(undocumented).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("current")
    void shouldNameTheUnitOfEachTimeInNameAndDoc(Schema current) {
        List<String> wrong = new ArrayList<>();
        visit(
                current,
                (path, schema) -> fields(schema).forEach(field -> {
                    String doc = String.valueOf(field.doc()).toLowerCase(Locale.ROOT);
                    boolean isInstant =
                            nonNull(field.schema()).getLogicalType() instanceof LogicalTypes.TimestampMillis;
                    boolean saysSince = doc.contains("milliseconds since 1970-01-01 utc");
                    boolean isDuration = field.name().matches(".*(_ms|duration|timeout|latency|elapsed).*");
                    boolean saysMillis = doc.contains("milliseconds");
                    if (isInstant != saysSince
                            || (isDuration && !(saysMillis && field.name().endsWith("_ms")))) {
                        wrong.add(path + "." + field.name());
                    }
                }));
        assertThat(wrong).isEmpty();
    }

    /** JSON is read and written by these rules; a schema outside of them would fail at run time. */
    @ParameterizedTest
    @MethodSource("current")
    void shouldKeepToWhatJsonCanSay(Schema current) {
        visit(current, (path, schema) -> {
            assertThat(schema.getType()).as(path).isNotIn(Schema.Type.FIXED, Schema.Type.NULL);
            if (schema.getType() == Schema.Type.ENUM) {
                assertThat(schema.getEnumDefault()).as(path).isEqualTo("UNKNOWN");
            }
            fields(schema).forEach(field -> {
                if (field.schema().isUnion()) {
                    assertThat(field.schema().getTypes())
                            .as(path + "." + field.name())
                            .hasSize(2);
                    assertThat(field.schema().getTypes().getFirst().getType())
                            .as(path + "." + field.name())
                            .isEqualTo(Schema.Type.NULL);
                    assertThat(field.hasDefaultValue())
                            .as(path + "." + field.name())
                            .isTrue();
                }
            });
        });
    }

    /** The code for prompts reads these by name wherever a record cannot be read as a whole. */
    @Test
    void shouldKeepTheFieldsByWhichASenderIsAnswered() {
        assertThat(PromptRequest.getClassSchema().getFields())
                .extracting(Schema.Field::name)
                .contains("request_id", "model", "tenant", "job_id", "metadata");
    }

    @ParameterizedTest
    @MethodSource("current")
    void shouldRegisterTheAvscFileItself(Schema current) {
        String file = current.getName().replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
        String text = read(Path.of("src/main/avro", file + ".avsc"));
        if (!text.contains("\"Source\"") && !text.contains("\"Usage\"")) {
            assertThat(new Schema.Parser().parse(text).toString()).isEqualTo(current.toString());
        }
    }

    private static void assertReads(Schema reader, Schema writer, String what) {
        SchemaCompatibilityResult result = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                .getResult();
        assertThat(result.getCompatibility())
                .as("%s: %s", what, result.getIncompatibilities())
                .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
    }

    private static void visit(Schema schema, BiConsumer<String, Schema> visitor) {
        visit(schema, schema.getName(), visitor, new HashSet<>());
    }

    /** Calls the visitor with each record and enum type once, and with each type of a field. */
    private static void visit(Schema schema, String path, BiConsumer<String, Schema> visitor, Set<Schema> seen) {
        switch (schema.getType()) {
            case RECORD -> {
                if (seen.add(schema)) {
                    visitor.accept(path, schema);
                    schema.getFields()
                            .forEach(field -> visit(field.schema(), path + "." + field.name(), visitor, seen));
                }
            }
            case ENUM -> visitor.accept(path, schema);
            case UNION ->
                schema.getTypes().stream()
                        .filter(branch -> branch.getType() != Schema.Type.NULL)
                        .forEach(branch -> visit(branch, path, visitor, seen));
            case ARRAY -> visit(schema.getElementType(), path + "[]", visitor, seen);
            case MAP -> visit(schema.getValueType(), path + "{}", visitor, seen);
            case FIXED, NULL -> throw new AssertionError(path + " is of type " + schema.getType());
            default -> {
                // a primitive has neither documentation nor parts
            }
        }
    }

    private static List<Schema.Field> fields(Schema schema) {
        return schema.getType() == Schema.Type.RECORD ? schema.getFields() : List.of();
    }

    private static Schema nonNull(Schema schema) {
        return schema.isUnion() ? schema.getTypes().getLast() : schema;
    }

    private static boolean isBlank(@Nullable String text) {
        return text == null || text.isBlank();
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
