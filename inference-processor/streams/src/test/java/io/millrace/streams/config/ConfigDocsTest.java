package io.millrace.streams.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Run with {@code -Dmillrace.regenerate=true} to write what is generated from {@link ConfigKeys} anew. */
class ConfigDocsTest {
    private static final Path FOLDER = repository().resolve("ops/config");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String schemaText = new JsonSchemaWriter().write().toPrettyString() + "\n";
    private final Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(schemaText, InputFormat.JSON);

    @Test
    void shouldHaveTheSchemaUpToDate() throws Exception {
        assertUpToDate("millrace.schema.json", schemaText);
    }

    @Test
    void shouldHaveTheReferenceUpToDate() throws Exception {
        assertUpToDate("README.md", new ReferenceWriter().write());
    }

    @Test
    void shouldHaveAnExampleThatIsValidForProgramAndEditors() throws Exception {
        Path example = FOLDER.resolve("millrace.example.yaml");

        ConfigReport report = ConfigReport.ofFile(example, Map.of());

        assertThat(report.problems()).isEmpty();
        assertThat(errors(Files.readString(example))).isEmpty();
    }

    /** The example shows each key with its default: it must say what the empty file says. */
    @Test
    void shouldShowTheDefaultsInTheExample() throws Exception {
        MillraceConfig example = ConfigReport.ofFile(FOLDER.resolve("millrace.example.yaml"), Map.of())
                .orThrow();

        assertThat(example).isEqualTo(MillraceConfig.defaults());
    }

    @Test
    void shouldShowEachKeyInTheExample() throws Exception {
        String example = Files.readString(FOLDER.resolve("millrace.example.yaml"));

        assertThat(keys(ConfigKeys.ROOT)).allSatisfy(name -> assertThat(example).containsPattern("\\b" + name + ":"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "http: {port: 0}\nmodels:\n",
                "http: {port: '${PORT:-8080}', enabled: false}",
                "kafka: {bootstrap.servers: 'a:1', acks: all, linger.ms: 5, enable.idempotence: true}",
                "models: {org/m: {source: 'file:a', size: 1.5GiB, default_sampling: {temperature: 0.5}}}",
                "models: {m: {source: 'file:a', size: 1000, version: 2}}",
                "models: {m: {engine: echo, echo: {delay: 10ms, tokens_per_second: 2.5}}}",
                "models: {m: {engine: echo}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h:1/v1'}}}}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'https://h/v1', max_in_flight: 3}}, http_version: 2, api_key: 'file:/k', headers: {X: 1}, secret_headers: {Y: 'env:Z'}, extra_body: {top_k: [1, {a: null}]}}}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, slack: {signal: 'a:b', curve: '0:1, 4:0.5'}}}}",
                "processor: {drain_timeout: 1m, max_pending_bytes: 64 MiB}"
            })
    void shouldTakeWhatTheProgramTakes(String yaml) {
        assertThat(ConfigReport.ofText("m.yaml", yaml, Map.of()).config()).isPresent();
        assertThat(errors(yaml)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http: {prot: 1}",
                "http: {port: 65536}",
                "http: {port: eighty}",
                "http: 8080",
                "models: {m: {source: 'ftp:a'}}",
                "models: {m: {source: 'file:a', backend: gpu}}",
                "models: {m: {source: 'file:a', default_sampling: {top_p: 0}}}",
                "models: {-m: {source: 'file:a'}}",
                "models: {m: {engine: onnx}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'ftp://h'}}}}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, api_key: sk-123}}}",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, slack: {signal: a, curve: 'half'}}}}",
                "processor: {drain_timeout: 20}",
                "topics: {prompts: 'a b'}",
                "kafka: {ssl: {a: b}}"
            })
    void shouldRefuseWhatTheProgramRefuses(String yaml) {
        assertThat(ConfigReport.ofText("m.yaml", yaml, Map.of()).config()).isEmpty();
        assertThat(errors(yaml)).isNotEmpty();
    }

    private List<Error> errors(String yaml) {
        Object tree = new Load(LoadSettings.builder().build()).loadFromString(yaml);
        JsonNode node = JSON.valueToTree(tree == null ? Map.of() : tree);
        return schema.validate(node);
    }

    static Stream<String> keys(Key.Section section) {
        return section.keys().stream().flatMap(key -> Stream.concat(Stream.of(key.name()), inner(key)));
    }

    private static Stream<String> inner(Key key) {
        return switch (key.shape()) {
            case Key.Section section -> keys(section);
            case Key.NamedSections named -> keys(named.section());
            default -> Stream.empty();
        };
    }

    private static void assertUpToDate(String name, String generated) throws IOException {
        Path file = FOLDER.resolve(name);
        if (Boolean.getBoolean("millrace.regenerate")) {
            Files.writeString(file, generated);
        }
        assertThat(file)
                .as("%s; write it anew with -Dtest=ConfigDocsTest -Dmillrace.regenerate=true", name)
                .hasContent(generated);
    }

    private static Path repository() {
        return Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
                .filter(folder -> Files.isDirectory(folder.resolve("ops/config")))
                .findFirst()
                .orElseThrow();
    }
}
