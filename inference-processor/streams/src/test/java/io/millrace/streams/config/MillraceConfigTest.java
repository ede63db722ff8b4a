package io.millrace.streams.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SamplingParameters;
import io.millrace.modelstore.DefaultModel;
import io.millrace.modelstore.ModelSource;
import io.millrace.modelstore.ModelSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MillraceConfigTest {

    private static final String EVERY_KEY = """
            application_id: scoring
            instance: node-7
            kafka: { bootstrap.servers: "b1:9092,b2:9092", consumer.fetch.max.bytes: 1000, linger.ms: 5 }
            topics:
              prompts: p
              results: r
              metrics: m
              engine_metrics: e
              failures: f
              dead_letters: d
              control: c
              partitions: 4
              replication_factor: 3
            models:
              big/one:
                source: "hf:org/repository@v1/sub/big.gguf"
                sha256: "AB00000000000000000000000000000000000000000000000000000000000000"
                size: 1.5GiB
                version: "2"
                engine: llm
                backend: reference
                max_model_len: 4096
                max_num_batched_tokens: 4096
                max_num_seqs: 100
                block_size: 32
                kv_cache_memory: 256 MiB
                enable_chunked_prefill: false
                threads: 3
                max_waiting: 77
                default_max_tokens: 99
                default_sampling: { temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0.05, repetition_penalty: 1.1 }
              small: { source: "file:/models/small.gguf" }
            default_model: small
            processor:
              max_pending: 1000
              max_pending_per_partition: 50
              max_pending_bytes: 128MiB
              max_paused: 9
              intake_threads: 5
              num_stream_threads: 7
              drain_timeout: 1m
              engine_stall_timeout: 90s
              ordering: key
              deduplication: { window: 10m, max_entries: 77 }
            http: { enabled: false, host: "0.0.0.0", port: "0" }
            metrics: { max_tenants: 9 }
            """;

    @ParameterizedTest
    @ValueSource(strings = {"", "# only a comment\n", "models:\nkafka:\nhttp: ~\nprocessor: null\n", "---\n", "{}"})
    void shouldFillInAllDefaultsWhereTheFileSaysNothing(String yaml) throws Exception {
        MillraceConfig config = MillraceConfig.parse("millrace.yaml", yaml);

        assertThat(config.applicationId()).isEqualTo("millrace");
        assertThat(config.instance()).endsWith("-" + ProcessHandle.current().pid());
        assertThat(config.kafka().properties()).isEqualTo(Map.of("bootstrap.servers", "localhost:9092"));
        assertThat(config.topics())
                .isEqualTo(new TopicSettings(
                        "millrace.prompts",
                        "millrace.results",
                        "millrace.metrics",
                        "millrace.engine-metrics",
                        "millrace.failures",
                        "millrace.dead-letters",
                        "millrace.control",
                        16,
                        1));
        assertThat(config.defaultModel()).isEqualTo("smollm2-135m-instruct");
        assertThat(config.models().values())
                .containsExactly(new ModelSettings(
                        "smollm2-135m-instruct",
                        Optional.empty(),
                        OptionalInt.empty(),
                        32,
                        1024,
                        256,
                        SamplingParameters.DEFAULT,
                        new LlmSettings(
                                DefaultModel.SMOLLM2, "auto", OptionalInt.empty(), 16, OptionalLong.empty(), true, 0)));
        assertThat(config.processor())
                .isEqualTo(new TopologySettings(
                        256,
                        128,
                        64 << 20,
                        4096,
                        2,
                        1,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(60),
                        Ordering.NONE,
                        Optional.empty()));
        assertThat(config.http()).isEqualTo(new HttpSettings(true, "127.0.0.1", 8080));
        assertThat(config.metrics()).isEqualTo(new MetricsSettings(100));
    }

    @Test
    void shouldReadEveryKey() throws Exception {
        MillraceConfig config = MillraceConfig.parse("millrace.yaml", EVERY_KEY);

        assertThat(config.applicationId()).isEqualTo("scoring");
        assertThat(config.instance()).isEqualTo("node-7");
        assertThat(config.kafka().properties())
                .isEqualTo(Map.of(
                        "bootstrap.servers", "b1:9092,b2:9092", "consumer.fetch.max.bytes", "1000", "linger.ms", "5"));
        assertThat(config.topics()).isEqualTo(new TopicSettings("p", "r", "m", "e", "f", "d", "c", 4, 3));
        assertThat(config.models()).containsOnlyKeys("big/one", "small");
        ModelSettings big = config.model("big/one").orElseThrow();
        ModelSpec spec = llm(big).spec();
        assertThat(spec.source()).isEqualTo(new ModelSource.HuggingFace("org/repository", "v1", "sub/big.gguf"));
        assertThat(spec.sha256()).hasValue("ab00000000000000000000000000000000000000000000000000000000000000");
        assertThat(spec.sizeBytes()).hasValue(3L << 29);
        assertThat(big)
                .isEqualTo(new ModelSettings(
                        "big/one",
                        Optional.of("2"),
                        OptionalInt.of(4096),
                        100,
                        77,
                        99,
                        SamplingParameters.builder()
                                .temperature(0.5)
                                .topP(0.9)
                                .topK(40)
                                .minP(0.05)
                                .repetitionPenalty(1.1)
                                .build(),
                        new LlmSettings(
                                spec, "reference", OptionalInt.of(4096), 32, OptionalLong.of(256 << 20), false, 3)));
        assertThat(config.defaultModel()).isEqualTo("small");
        assertThat(config.processor())
                .isEqualTo(new TopologySettings(
                        1000,
                        50,
                        128 << 20,
                        9,
                        5,
                        7,
                        Duration.ofMinutes(1),
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(90),
                        Ordering.KEY,
                        Optional.of(new DeduplicationSettings(Duration.ofMinutes(10), 77))));
        assertThat(config.http()).isEqualTo(new HttpSettings(false, "0.0.0.0", 0));
        assertThat(config.metrics()).isEqualTo(new MetricsSettings(9));
    }

    @Test
    void shouldDerivePendingCapsFromTheModelsSequences() throws Exception {
        MillraceConfig config = MillraceConfig.parse("millrace.yaml", """
                models:
                  a: { source: "file:a.gguf", max_num_seqs: 100 }
                  b: { source: "file:b.gguf", max_num_seqs: 50 }
                """);

        assertThat(config.processor().maxPending()).isEqualTo(600);
        assertThat(config.processor().maxPendingPerPartition()).isEqualTo(300);
        assertThat(config.defaultModel()).isEqualTo("a");
    }

    @Test
    void shouldTakeTheDefaultModelsSourceWithOtherBudgets() throws Exception {
        MillraceConfig config =
                MillraceConfig.parse("millrace.yaml", "models: {smollm2-135m-instruct: {max_num_seqs: 8}}");

        ModelSettings model = config.model("smollm2-135m-instruct").orElseThrow();
        assertThat(llm(model).spec()).isEqualTo(DefaultModel.SMOLLM2);
        assertThat(model.maxNumSeqs()).isEqualTo(8);
    }

    @Test
    void shouldNotTakeTheDefaultModelsDigestForAnotherFileOfItsName() throws Exception {
        MillraceConfig config =
                MillraceConfig.parse("millrace.yaml", "models: {smollm2-135m-instruct: {source: 'file:mine.gguf'}}");

        ModelSettings model = config.model("smollm2-135m-instruct").orElseThrow();
        assertThat(llm(model).spec().sha256()).isEmpty();
        assertThat(llm(model).spec().sizeBytes()).isEmpty();
    }

    private static LlmSettings llm(ModelSettings model) {
        return (LlmSettings) model.engine();
    }

    @Test
    void shouldReadAFile(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("m.yaml"), "http: {port: 1}\nport: 2\n");

        assertThatThrownBy(() -> MillraceConfig.load(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ":2:1: unknown key 'port' here, it belongs under 'http'");
    }

    @Test
    void shouldNameAFileThatCannotBeRead(@TempDir Path folder) throws Exception {
        Path missing = folder.resolve("none.yaml");
        Path binary = Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        Path large = Files.writeString(folder.resolve("l.yaml"), "#".repeat((1 << 20) + 1));

        assertThatThrownBy(() -> MillraceConfig.load(missing)).hasMessage(missing + ": no such file");
        assertThatThrownBy(() -> MillraceConfig.load(folder))
                .hasMessage(folder + ": is a folder, expected=a YAML file");
        assertThatThrownBy(() -> MillraceConfig.load(binary))
                .hasMessage(binary + ": is not UTF-8 text, expected=a YAML file");
        assertThatThrownBy(() -> MillraceConfig.load(large))
                .hasMessage(large + ": size=1048577, expected=at most 1048576 bytes");
    }

    @Test
    void shouldHideSecretsWhenPrinted() throws Exception {
        MillraceConfig config = MillraceConfig.parse(
                "millrace.yaml",
                "kafka: {sasl.jaas.config: 'a b=c', ssl.key.password: hunter2, basic.auth.user.info: 'me:pw', acks: all}");

        assertThat(config.toString())
                .contains("acks=all")
                .contains("sasl.jaas.config=[hidden]")
                .doesNotContain("hunter2")
                .doesNotContain("me:pw")
                .doesNotContain("a b=c");
    }
}
