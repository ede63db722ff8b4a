package io.millrace.streams.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.config.Problem.Severity;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigReportTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("PORT", "9000", "EMPTY", "", "SECRET", "s3cret: {}");

    private static List<String> messages(String yaml) {
        return ConfigReport.ofText("m.yaml", yaml, ENVIRONMENT).problems().stream()
                .map(Problem::toString)
                .toList();
    }

    static Stream<Arguments> wrongNamesAndShapes() {
        return Stream.of(
                // names
                Arguments.of(
                        "models:\n  m:\n    source: file:a\n    max_num_seq: 4",
                        "m.yaml:4:5: unknown key 'max_num_seq', did you mean 'max_num_seqs'?"),
                Arguments.of(
                        "models: {m: {source: 'file:a', maxNumSeqs: 4}}",
                        "m.yaml:1:32: unknown key 'maxNumSeqs', did you mean 'max_num_seqs'?"),
                Arguments.of(
                        "topics: {dead-letters: d}",
                        "m.yaml:1:10: unknown key 'dead-letters', did you mean 'dead_letters'?"),
                Arguments.of("topcis: {}", "m.yaml:1:1: unknown key 'topcis', did you mean 'topics'?"),
                Arguments.of(
                        "max_pending: 3", "m.yaml:1:1: unknown key 'max_pending' here, it belongs under 'processor'"),
                Arguments.of(
                        "max_num_seqs: 3",
                        "m.yaml:1:1: unknown key 'max_num_seqs' here, it belongs under 'models.NAME'"),
                Arguments.of(
                        "temperature: 3",
                        "m.yaml:1:1: unknown key 'temperature' here, it belongs under 'models.NAME.default_sampling'"),
                Arguments.of(
                        "http: {zzzzzzzz: 1}",
                        "m.yaml:1:8: unknown key 'zzzzzzzz', expected=one of enabled, host, port"),
                Arguments.of("base: &b {port: 1}\nhttp: {<<: *b}", "m.yaml:1:1: unknown key 'base'"),
                Arguments.of(
                        "http: {<<: {port: 1}}",
                        "m.yaml:1:8: unknown key '<<', merge keys are not supported: write the keys out"),
                Arguments.of("http: {port: 1, port: 2}", "m.yaml:1:17: duplicate key 'port', first in line 1"),
                Arguments.of("http: {[a]: 1}", "m.yaml:1:8: key=a list, expected=a word"),
                // shapes
                Arguments.of("- a\n- b", "m.yaml:1:1: the file=a list, expected=a mapping of application_id, instance"),
                Arguments.of("http: 8080", "m.yaml:1:7: http=8080, expected=a mapping of enabled, host, port"),
                Arguments.of("http: {port: [80, 81]}", "m.yaml:1:14: port=a list, expected=a single value: 0 to 65535"),
                Arguments.of("http: {port: {a: 1}}", "m.yaml:1:14: port=a mapping of 1, expected=a single value"),
                Arguments.of(
                        "models: [a]",
                        "m.yaml:1:9: models=a list, expected=a mapping of a model's name to a mapping of engine, "),
                Arguments.of("kafka: {ssl: {a: b}}", "m.yaml:1:14: ssl=a mapping of 1, expected=a single value"),
                Arguments.of("http: {port: !mine 80}", "m.yaml:1:14: port=!mine …, expected=no tag"));
    }

    static Stream<Arguments> wrongValues() {
        return Stream.of(
                Arguments.of(
                        "models: {m: {source: 'file:a', max_num_seqs: 0}}",
                        "m.yaml:1:46: max_num_seqs=0, expected=1 to 4096"),
                Arguments.of("processor: {max_pending: many}", "m.yaml:1:26: max_pending=many, expected=1 to 1000000"),
                Arguments.of("http: {port: 65536}", "m.yaml:1:14: port=65536, expected=0 to 65535"),
                Arguments.of(
                        "http: {port: 99999999999999999999999999}",
                        "m.yaml:1:14: port=99999999999999999999999999, expected=0 to 65535"),
                Arguments.of("http: {port: 8.5}", "m.yaml:1:14: port=8.5, expected=0 to 65535"),
                Arguments.of("http: {enabled: yes}", "m.yaml:1:17: enabled=yes, expected=true or false"),
                Arguments.of(
                        "processor: {max_pending_bytes: 1 megabyte}",
                        "m.yaml:1:32: max_pending_bytes=1 megabyte, expected=a size of 64KiB to 1TiB, such as 64KiB, 256MiB or 2GiB"),
                Arguments.of(
                        "processor: {max_pending_bytes: 1.3B}",
                        "m.yaml:1:32: max_pending_bytes=1.3B, expected=a size of 64KiB to 1TiB, such as 64KiB, 256MiB or 2GiB"),
                Arguments.of(
                        "processor: {drain_timeout: 100}",
                        "m.yaml:1:28: drain_timeout=100, expected=a time of 0ms to 1h, such as 100ms, 30s or 5m"),
                Arguments.of(
                        "processor: {drain_timeout: 2h}",
                        "m.yaml:1:28: drain_timeout=2h, expected=a time of 0ms to 1h, such as 100ms, 30s or 5m"),
                Arguments.of(
                        "models: {m: {source: 'file:a', default_sampling: {top_p: 0}}}",
                        "m.yaml:1:58: top_p=0, expected=above 0, to 1"),
                Arguments.of(
                        "models: {m: {source: 'file:a', default_sampling: {temperature: 2.5}}}",
                        "m.yaml:1:64: temperature=2.5, expected=0 to 2"),
                Arguments.of(
                        "models: {m: {source: 'file:a', backend: refrence}}",
                        "m.yaml:1:41: backend=refrence, expected=one of auto, cpu, reference, did you mean 'reference'?"),
                Arguments.of(
                        "topics: {prompts: 'a b'}",
                        "m.yaml:1:19: prompts=a b, expected=a topic's name: letters, digits and . _ -, at most 249"),
                Arguments.of("topics: {prompts: ..}", "m.yaml:1:19: prompts=.., expected=a topic's name"),
                Arguments.of(
                        "models: {m: {source: a.gguf}}",
                        "m.yaml:1:22: source=a.gguf, expected=file:PATH, https://HOST/PATH, hf:ORG/REPOSITORY/FILE or pypi:PACKAGE==VERSION!PATH"),
                Arguments.of(
                        "models: {m: {source: 'http://example.org/a.gguf'}}",
                        "m.yaml:1:22: source=http://example.org/a.gguf, expected=https: (http: only to this machine itself)"),
                Arguments.of(
                        "models: {m: {source: 'file:a', sha256: abc}}",
                        "m.yaml:1:40: sha256=abc, expected=64 hexadecimal digits"));
    }

    static Stream<Arguments> wrongTogether() {
        return Stream.of(
                Arguments.of(
                        "models: {m: {max_num_seqs: 4}}",
                        "m.yaml:1:10: model 'm' has no source, expected=source: file:PATH"),
                Arguments.of("models: {'-x': {source: 'file:a'}}", "m.yaml:1:10: model name=-x, expected=letters"),
                Arguments.of(
                        "models: {mine: {source: 'file:a'}}\ndefault_model: mime",
                        "m.yaml:2:16: default_model=mime, expected=one of mine, did you mean 'mine'?"),
                Arguments.of(
                        "models: {m: {source: 'file:a', max_num_batched_tokens: 16}}",
                        "m.yaml:1:56: max_num_batched_tokens=16, expected=at least max_num_seqs=32"),
                Arguments.of(
                        "models: {m: {source: 'file:a', max_model_len: 1024, max_num_batched_tokens: 512, enable_chunked_prefill: false}}",
                        "m.yaml:1:77: max_num_batched_tokens=512, expected=at least max_model_len=1024 for enable_chunked_prefill=false"),
                Arguments.of(
                        "models: {m: {source: 'file:a', max_model_len: 100, default_max_tokens: 100}}",
                        "m.yaml:1:72: default_max_tokens=100, expected=below max_model_len=100"),
                Arguments.of(
                        "topics: {results: millrace.prompts}",
                        "m.yaml:1:19: results=millrace.prompts, expected=another topic than that of prompts"),
                Arguments.of(
                        "processor: {max_pending: 100, max_pending_per_partition: 101}",
                        "m.yaml:1:58: max_pending_per_partition=101, expected=at most max_pending=100"),
                Arguments.of(
                        "kafka: {application.id: a}",
                        "m.yaml:1:9: application.id=a, expected=absent: it is set by application_id"),
                Arguments.of(
                        "kafka: {processing.guarantee: at_least_once}",
                        "m.yaml:1:9: processing.guarantee=at_least_once, expected=exactly_once_v2: every prompt is answered exactly once"),
                Arguments.of(
                        "kafka: {consumer.isolation.level: read_uncommitted}",
                        "m.yaml:1:9: consumer.isolation.level=read_uncommitted, expected=read_committed: every prompt is answered exactly once"),
                Arguments.of(
                        "kafka: {group.protocol: streams}",
                        "m.yaml:1:9: group.protocol=streams, expected=classic: the streams protocol bypasses the gate and the fence"),
                Arguments.of(
                        "kafka: {producer.transactional.id: x}",
                        "m.yaml:1:9: producer.transactional.id=x, expected=absent: it is set by nothing: Kafka Streams makes them up"));
    }

    static Stream<Arguments> wrongYamlOrEnvironment() {
        return Stream.of(
                Arguments.of(
                        "http: {port: 1",
                        "m.yaml:1:15: not YAML: expected ',' or '}', but got <stream end> (while parsing a flow mapping)"),
                Arguments.of(
                        "http:\n\tport: 1",
                        "m.yaml:2:1: not YAML: found character '\\t(TAB)' that cannot start any token."),
                Arguments.of("a: *nowhere", "m.yaml:1:4: not YAML: found undefined alias nowhere"),
                Arguments.of("a: 1\n---\nb: 2", "m.yaml:2:1: documents=more than 1, expected=1 in a file"),
                Arguments.of(
                        "a: " + "[".repeat(50_000), "m.yaml:1:19: nesting=more than 16 levels, expected=16 or fewer"),
                Arguments.of("a: " + "{b: ".repeat(50_000), "nesting=more than 16 levels, expected=16 or fewer"),
                Arguments.of("http: {port: 1\u0000}", "m.yaml: not YAML: "),
                Arguments.of("#".repeat((1 << 20) + 1), "m.yaml: size=1048577, expected=at most 1048576 bytes"),
                // environment
                Arguments.of(
                        "application_id: ${NONE}",
                        "m.yaml:1:17: application_id: environment variable NONE is not set, expected=a value, or ${NONE:-default}"),
                Arguments.of("http: {port: \"${SECRET}\"}", "m.yaml:1:14: port=s3cret: {}, expected=0 to 65535"));
    }

    @ParameterizedTest
    @MethodSource({"wrongNamesAndShapes", "wrongValues", "wrongTogether", "wrongYamlOrEnvironment"})
    void shouldSayWhereAndWhatIsWrong(String yaml, String expected) {
        ConfigReport report = ConfigReport.ofText("m.yaml", yaml, ENVIRONMENT);

        assertThat(report.config()).isEmpty();
        assertThat(report.problems()).first().asString().contains(expected);
    }

    @Test
    void shouldTellAllErrorsOfAFileInItsOrder() {
        assertThat(messages("""
                        http: { port: 70000 }
                        topics:
                          partitons: 4
                          replication_factor: none
                        models:
                          m: { source: "file:a", block_size: 0 }
                        """))
                .containsExactly(
                        "m.yaml:1:15: port=70000, expected=0 to 65535",
                        "m.yaml:3:3: unknown key 'partitons', did you mean 'partitions'?",
                        "m.yaml:4:23: replication_factor=none, expected=1 to 32",
                        "m.yaml:6:38: block_size=0, expected=1 to 256");
    }

    @Test
    void shouldTellErrorsOfSingleKeysTogetherWithThoseOfSeveral() {
        assertThat(messages("""
                        http: { port: 70000 }
                        kafka: { acks: 1 }
                        topics: { results: same, failures: same, metrics: "a b" }
                        models:
                          a: { max_num_seqs: 4 }
                          b: { source: nowhere, max_num_seqs: none, max_num_batched_tokens: 2 }
                        default_model: c
                        processor: { max_pending: 0, max_pending_per_partition: 9 }
                        """))
                .extracting(message -> message.substring(0, message.indexOf(", expected")))
                .containsExactly(
                        "m.yaml:1:15: port=70000",
                        "m.yaml:2:10: acks=1",
                        "m.yaml:3:36: failures=same",
                        "m.yaml:3:51: metrics=a b",
                        "m.yaml:5:3: model 'a' has no source",
                        "m.yaml:6:16: source=nowhere",
                        "m.yaml:6:39: max_num_seqs=none",
                        "m.yaml:7:16: default_model=c",
                        "m.yaml:8:27: max_pending=0");
    }

    @Test
    void shouldBoundTheNumberOfErrors() {
        assertThat(messages("x: 1\n".repeat(1))).hasSize(1);
        StringBuilder yaml = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            yaml.append("unknown").append(i).append(": 1\n");
        }
        assertThat(messages(yaml.toString())).hasSize(Problems.MAX_PROBLEMS);
    }

    @Test
    void shouldWarnOfWhatIsProbablyNotMeant() {
        ConfigReport report = ConfigReport.ofText("m.yaml", """
                kafka:
                  bootstrap.server: b:9092
                  producer.lingr.ms: 5
                  my.interceptor.setting: 1
                models: { m: { source: "hf:org/repository/a.gguf" } }
                processor: { max_pending: 20 }
                """, Map.of());

        assertThat(report.config()).isPresent();
        assertThat(report.problems()).allMatch(problem -> problem.severity() == Severity.WARNING);
        assertThat(report.problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "m.yaml:2:3: warning: no client of Kafka knows the property 'bootstrap.server', did you mean 'bootstrap.servers'?",
                        "m.yaml:3:3: warning: no client of Kafka knows the property 'producer.lingr.ms', did you mean 'linger.ms'?",
                        "m.yaml:4:3: warning: no client of Kafka knows the property 'my.interceptor.setting'",
                        "m.yaml:5:24: warning: model 'm' has no sha256: nothing vouches for what is downloaded",
                        "m.yaml:6:27: warning: max_pending=20 is less than all models' max_num_seqs=32: the batch is never full");
    }

    @Test
    void shouldTakeKafkasRegistrysAndClientsOwnNamesWithoutWarning() {
        assertThat(messages("""
                        kafka:
                          bootstrap.servers: b:9092
                          schema.registry.url: http://r:8081
                          schema.registry.ssl.truststore.location: /t
                          basic.auth.user.info: "${SECRET}"
                          value.format: avro
                          main.consumer.max.poll.records: 10
                          producer.compression.type: zstd
                          admin.retries: 3
                          state.dir: /tmp/x
                          processing.guarantee: exactly_once_v2
                          sasl.jaas.config: "${file:/run/secrets/kafka:jaas}"
                        """)).isEmpty();
    }

    @Test
    void shouldPutEnvironmentVariablesIntoValues() {
        MillraceConfig config =
                ConfigReport.ofText("m.yaml", """
                application_id: ${NONE:-fallback}
                kafka:
                  ssl.key.password: ${SECRET}
                  sasl.jaas.config: "a=${PORT} b=${EMPTY:-x} c=$${PORT} d=${file:/a:b}"
                http: { port: "${PORT}" }
                """, ENVIRONMENT).config().orElseThrow();

        assertThat(config.applicationId()).isEqualTo("fallback");
        assertThat(config.kafka().properties())
                .containsEntry("ssl.key.password", "s3cret: {}")
                .containsEntry("sasl.jaas.config", "a=9000 b=x c=${PORT} d=${file:/a:b}");
        assertThat(config.http().port()).isEqualTo(9000);
    }

    @Test
    void shouldTakeAnchorsAndAliases() {
        MillraceConfig config =
                ConfigReport.ofText("m.yaml", """
                models:
                  a: { source: "file:a", default_sampling: &cool { temperature: 0.2 } }
                  b: { source: "file:b", default_sampling: *cool }
                """, Map.of()).config().orElseThrow();

        assertThat(config.model("b").orElseThrow().defaultSampling().temperature())
                .isEqualTo(0.2);
    }

    @Test
    void shouldNotExpandAliasesWithoutEnd() {
        StringBuilder yaml = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++) {
            yaml.append("a%d: &a%d [%s]\n".formatted(i, i, ("*a" + (i - 1) + ", ").repeat(10)));
        }

        assertThat(messages(yaml.toString()))
                .first()
                .asString()
                .contains("not YAML: Number of aliases for non-scalar nodes exceeds");
    }

    @Test
    void shouldRefuseAMappingThatContainsItself() {
        assertThat(messages("models: &m\n  a: *m"))
                .satisfiesExactly(
                        message ->
                                assertThat(message).startsWith("m.yaml:2:3: unknown key 'a', expected=one of engine, "),
                        message -> assertThat(message).startsWith("m.yaml:2:3: model 'a' has no source"));
    }

    /** Whatever is in a file, it is either a configuration or has problems that say where; nothing is thrown. */
    @Test
    void shouldSurviveAnythingInAFile() throws Exception {
        String example = """
                application_id: a
                kafka: { bootstrap.servers: "b:1", acks: all }
                models: { m: { source: "file:a", size: 1MiB, default_sampling: &s { top_p: 0.5 } }, n: { source: "hf:a/b/c" } }
                default_model: ${NAME:-m}
                http: { port: 0 } # end
                """;
        String odd = "{}[]:,&*!|>'\"%@`#?-$~<\t\n\r \u0000\u0085\uFEFF\uD83D\uDE00\u00e9";
        Random random = new Random(7);
        for (int i = 0; i < 3_000; i++) {
            StringBuilder yaml = new StringBuilder(example);
            for (int edits = random.nextInt(1, 6); edits > 0; edits--) {
                int at = random.nextInt(yaml.length());
                int end = Math.min(yaml.length(), at + random.nextInt(8));
                int from = random.nextInt(odd.length());
                yaml.replace(at, end, odd.substring(from, Math.min(odd.length(), from + random.nextInt(3))));
            }
            ConfigReport report = ConfigReport.ofText("m.yaml", yaml.toString(), Map.of());

            assertThat(report.config().isEmpty())
                    .as("edit %d: %s", i, yaml)
                    .isEqualTo(report.problems().stream().anyMatch(p -> p.severity() == Severity.ERROR));
        }
    }
}
