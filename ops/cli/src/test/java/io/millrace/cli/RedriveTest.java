package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.cli.redrive.Candidate;
import io.millrace.cli.redrive.Edits;
import io.millrace.cli.redrive.Redrive;
import io.millrace.cli.redrive.Selection;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@WithKafka
class RedriveTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final String OF = "millrace.redrive.of";

    @TempDir
    Path folder;

    @Test
    void shouldRedriveEachFailureOnceWithTheFieldsChanged(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "redrive", 2);
        String config = config(test, kafka);
        answer(test, List.of(json("a", "fail", "\"max_tokens\":9"), json("b", "fine", ""), json("c", "fail", "")), 3);

        Cli told = redrive(config, "--dry-run");
        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.outLines()).hasSize(3).first().asString().contains("FAILURE", "CODE", "PROMPT", "REQUEST");
        assertThat(told.errLines()).containsExactly("Would redrive 2 of 2 failures to " + test.prompts());
        assertThat(test.committed(test.prompts())).isEqualTo(3);

        Cli first = redrive(config, "--set", "prompt=fine now", "--unset", "max_tokens", "--limit", "1");
        assertThat(first.exitCode()).as(first.err()).isZero();
        assertThat(first.errLines())
                .containsExactly("Redrove 1 of 2 failures to " + test.prompts() + ", 1 are left by --limit");
        Cli second = redrive(config, "--set", "prompt=fine now", "--unset", "max_tokens");
        assertThat(second.errLines())
                .containsExactly("Redrove 1 of 2 failures to " + test.prompts() + ", 1 were redriven before");
        Cli third = redrive(config, "--code", "engine_error");
        assertThat(third.errLines())
                .containsExactly("Redrove 0 of 2 failures to " + test.prompts() + ", 2 were redriven before");

        assertThat(redriven(test)).hasSize(2).allSatisfy(record -> {
            assertThat(text(record.value())).contains("\"prompt\":\"fine now\"").doesNotContain("max_tokens");
            assertThat(text(record.key())).startsWith("key-");
            assertThat(header(record, "trace")).isEqualTo("t");
            assertThat(header(record, "millrace.redrive.count")).isEqualTo("1");
        });
        answer(test, List.of(), 5);
        test.oracle().check().assertExactlyOnce();
        assertThat(test.committed(test.outputs().results())).isEqualTo(3);
    }

    /** What fails again is a new failure; its headers do not grow. */
    @Test
    void shouldRedriveWhatFailedAgain(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "again", 1);
        String config = config(test, kafka);
        answer(test, List.of(json("a", "fail", "")), 1);
        assertThat(redrive(config).errLines()).containsExactly("Redrove 1 of 1 failures to " + test.prompts());
        answer(test, List.of(), 2);
        assertThat(redrive(config).errLines())
                .containsExactly("Redrove 1 of 2 failures to " + test.prompts() + ", 1 were redriven before");
        List<ConsumerRecord<byte[], byte[]>> redriven = redriven(test);
        assertThat(redriven)
                .extracting(record -> header(record, "millrace.redrive.count"))
                .containsExactly("1", "2");
        assertThat(redriven.get(1).headers().headers(OF)).hasSize(1);
        assertThat(header(redriven.get(1), OF)).isNotEqualTo(header(redriven.get(0), OF));
    }

    /** As after a kill -9 between two transactions, and in the middle of one. */
    @Test
    void shouldSendOnlyWhatAKilledRedriveHadNotCommitted(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "killed", 1);
        String config = config(test, kafka);
        answer(test, List.of(json("a", "fail", ""), json("b", "fail", ""), json("c", "fail", "")), 3);
        List<String> ids = kafka.readCommitted(test.outputs().failures()).stream()
                .map(record -> record.topic() + "-" + record.partition() + "-" + record.offset())
                .toList();
        try (KafkaProducer<byte[], byte[]> killed =
                kafka.producer(Map.of("transactional.id", test.applicationId() + "-redrive"))) {
            killed.initTransactions();
            killed.beginTransaction();
            killed.send(asRedriven(test, "a", ids.get(0))).get();
            killed.commitTransaction();
            killed.beginTransaction();
            killed.send(asRedriven(test, "b", ids.get(1))).get();

            Cli next = redrive(config);
            assertThat(next.exitCode()).as(next.err()).isZero();
            assertThat(next.errLines())
                    .containsExactly("Redrove 2 of 3 failures to " + test.prompts() + ", 1 were redriven before");
            assertThatThrownBy(killed::commitTransaction)
                    .as("two at a time: the first is ended")
                    .isInstanceOf(KafkaException.class);
        }
        assertThat(redriven(test)).extracting(record -> header(record, OF)).containsExactlyInAnyOrderElementsOf(ids);
    }

    @Test
    void shouldSayWhichPromptsAreGone(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "gone", 1);
        String config = config(test, kafka);
        answer(test, List.of(json("a", "fail", ""), json("b", "fail", "")), 2);
        kafka.admin()
                .deleteRecords(Map.of(new TopicPartition(test.prompts(), 0), RecordsToDelete.beforeOffset(1)))
                .all()
                .get();
        Cli cli = redrive(config);
        assertThat(cli.exitCode()).isEqualTo(4);
        assertThat(cli.errLines()).hasSize(2);
        assertThat(cli.errLines().get(0))
                .startsWith("millrace: " + test.outputs().failures() + "-0-")
                .endsWith(" (prompt " + test.prompts() + "-0-0): its prompt is gone from the topic, by retention or"
                        + " compaction");
        assertThat(cli.errLines().get(1)).isEqualTo("Redrove 1 of 2 failures to " + test.prompts() + ", 1 cannot be");
    }

    @Test
    void shouldRedriveDeadLettersByteForByte(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "dead", 2);
        String config = config(test, kafka);
        answer(test, List.of("not JSON", json("b", "fine", "")), 2);
        Cli cli = Cli.run("redrive", "--from", "dead-letters", "--config", config);
        assertThat(cli.errLines()).containsExactly("Redrove 1 of 1 dead letters to " + test.prompts());
        assertThat(Cli.run("redrive", "--from", "dead-letters", "--config", config)
                        .errLines())
                .containsExactly("Redrove 0 of 1 dead letters to " + test.prompts() + ", 1 were redriven before");
        assertThat(redriven(test)).singleElement().satisfies(record -> {
            assertThat(text(record.value())).isEqualTo("not JSON");
            assertThat(record.headers()).extracting(Header::key).noneMatch(key -> key.startsWith("__streams"));
        });

        kafka.admin()
                .deleteRecords(Map.of(new TopicPartition(test.prompts(), 0), RecordsToDelete.beforeOffset(2)))
                .all()
                .get();
        Cli expired = Cli.run("redrive", "--from", "dead-letters", "--config", config);
        assertThat(expired.exitCode()).isEqualTo(4);
        assertThat(expired.err()).contains("the knowledge whether it was redriven; --include-expired");
        assertThat(Cli.run("redrive", "--from", "dead-letters", "--include-expired", "--config", config)
                        .errLines())
                .containsExactly("Redrove 1 of 1 dead letters to " + test.prompts());
    }

    @Test
    void shouldFilter(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "filter", 1);
        String config = config(test, kafka);
        answer(
                test,
                List.of(
                        json("a", "fail", "\"job_id\":\"j\",\"tenant\":\"t\""),
                        json("b", "fail", "\"job_id\":\"k\""),
                        json("c", "x", "\"model\":\"gpt\"")),
                3);
        assertThat(selected(config)).isEqualTo(3);
        assertThat(selected(config, "--job", "j")).isEqualTo(1);
        assertThat(selected(config, "--tenant", "t", "--job", "k")).isZero();
        assertThat(selected(config, "--code", "ENGINE_ERROR,MODEL_NOT_FOUND")).isEqualTo(3);
        assertThat(selected(config, "--code", "MODEL_NOT_FOUND")).isEqualTo(1);
        assertThat(selected(config, "--since", "1h")).isEqualTo(3);
        assertThat(selected(config, "--until", "1h")).isZero();
        assertThat(selected(config, "--since", "2020-01-01T00:00:00+02:00", "--until", "2999-01-01T00:00:00Z"))
                .isEqualTo(3);
    }

    /** Past the command, which refuses a registry that lives in one process. */
    @Test
    void shouldEditAvro(TestKafka kafka) throws Exception {
        Map<String, Object> registry = Map.of("schema.registry.url", "mock://redrive-test");
        TestApp test = TestApp.create(kafka, "avro", 1).with("schema.registry.url", "mock://redrive-test");
        PromptRequest prompt = PromptRequest.newBuilder()
                .setRequestId("a")
                .setPrompt("fail")
                .setDeadline(Instant.now().plusSeconds(3600))
                .setMetadata(Map.of("k", "v"))
                .build();
        byte[] value = RecordSerdes.serializer(PromptRequest.class, registry).serialize(test.prompts(), prompt);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(new ProducerRecord<>(test.prompts(), 0, null, value)));
            await().atMost(TIMEOUT).until(() -> test.endings() == 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Map<String, Object> properties = new HashMap<>(registry);
        properties.put("bootstrap.servers", kafka.bootstrapServers());
        var order = new Redrive.Order(
                Redrive.From.FAILURES,
                new Selection(Set.of(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()),
                Edits.of(List.of("prompt=fine", "max_tokens=64"), List.of("deadline")),
                Long.MAX_VALUE,
                Redrive.Mode.FOR_REAL,
                Redrive.Expired.LEFT);
        var listener = new Redrive.Listener() {
            @Override
            public void redriven(Candidate candidate) {}

            @Override
            public void refused(Candidate candidate, String why) {
                throw new AssertionError(why);
            }
        };
        var topics = MillraceConfig.load(Path.of(config(test, kafka))).topics();
        new Redrive(properties, topics, test.applicationId() + "-redrive", order, listener).run();

        var record = redriven(test).getFirst();
        PromptRequest edited =
                RecordSerdes.deserializer(PromptRequest.class, registry).deserialize(record.topic(), record.value());
        assertThat(edited)
                .isEqualTo(PromptRequest.newBuilder(prompt)
                        .setPrompt("fine")
                        .setMaxTokens(64)
                        .setDeadline(null)
                        .build());
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        assertUsage(
                "max_token=64, expected=a field of PromptRequest; did you mean max_tokens?",
                "--from",
                "failures",
                "--set",
                "max_token=64");
        assertUsage("--from=failure, expected=failures or dead-letters", "--from", "failure");
        assertUsage("max_tokens=\"many\", expected=an integer", "--from", "failures", "--set", "max_tokens=many");
        assertUsage("--set=max_tokens, expected=FIELD=VALUE", "--from", "failures", "--set", "max_tokens");
        assertUsage(
                "deadlin=null, expected=a field of PromptRequest; did you mean deadline?",
                "--from",
                "failures",
                "--unset",
                "deadlin");
        assertUsage(
                "--unset=seed, expected=a field that --set does not name",
                "--from",
                "failures",
                "--set",
                "seed=1",
                "--unset",
                "seed");
        assertUsage(
                "--since=yesterday, expected=a time with its zone as 2026-11-24T10:00:00Z, or how long ago: 90s, 30m, 2h,"
                        + " 7d",
                "--from",
                "failures",
                "--since",
                "yesterday");
        assertUsage("--limit=0, expected=1 or more", "--from", "failures", "--limit", "0");
        assertUsage(
                "--job with --from=dead-letters, expected=without it: their bytes are no prompt that could be read",
                "--from",
                "dead-letters",
                "--job",
                "j");
    }

    @Test
    void shouldWriteCommandsThatInstancesObey(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "obey", 1);
        String config = config(test, kafka);
        Cli paused = Cli.run("pause", "--job", "j", "--reason", "daytime", "--config", config);
        assertThat(paused.exitCode()).as(paused.err()).isZero();
        assertThat(paused.outLines().get(0))
                .startsWith("PAUSE JOB j is in " + test.applicationId() + "-control, command_id=");
        Cli.run("cancel", "--request", "a", "--config", config);
        Cli resumed = Cli.run("resume", "--job", "j", "--config", config);
        assertThat(resumed.outLines())
                .last()
                .isEqualTo("Its prompts go on within a moment, where they are not cancelled.");

        var deserializer = RecordSerdes.deserializer(ControlCommand.class, Map.of());
        var records = kafka.readCommitted(test.applicationId() + "-control");
        assertThat(records)
                .extracting(record -> text(record.key()))
                .containsExactly("job:j:pause", "request:a:cancel", "job:j:pause");
        ControlCommand command = deserializer.deserialize("", records.get(0).value());
        assertThat(command.getAction()).isEqualTo(ControlAction.PAUSE);
        assertThat(command.getScope()).isEqualTo(ControlScope.JOB);
        assertThat(command.getReason()).isEqualTo("daytime");
        assertThat(command.getIssuedAt()).isBetween(Instant.now().minusSeconds(60), Instant.now());

        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1)).holding(text -> true);
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(test.record(0, json("r1", "long", "\"job_id\":\"j\""))));
            await().atMost(TIMEOUT).until(() -> engine.running() == 1);
            Cli cancelled = Cli.run("cancel", "--job", "j", "--reason", "enough", "--config", config);
            assertThat(cancelled.exitCode()).as(cancelled.err()).isZero();
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        assertThat(text(kafka.readCommitted(test.outputs().failures())
                        .getFirst()
                        .value()))
                .contains("\"code\":\"CANCELLED\"", "enough");
        assertThat(redrive(config).errLines()).containsExactly("Redrove 0 of 0 failures to " + test.prompts());
        assertThat(redrive(config, "--code", "CANCELLED").errLines())
                .containsExactly("Redrove 1 of 1 failures to " + test.prompts());
    }

    @Test
    void shouldRefuseCommandsWithoutOneTarget() {
        assertThat(Cli.run("cancel").errLines().getFirst())
                .isEqualTo("millrace: Missing required argument (specify one of these): (--request=ID | --job=ID |"
                        + " --tenant=TENANT)");
        assertThat(Cli.run("cancel", "--job", "a", "--tenant", "b").exitCode()).isEqualTo(2);
        assertThat(Cli.run("pause", "--job", " ").errLines())
                .containsExactly("millrace: --job=\" \", expected=not blank");
        assertThat(Cli.run("resume").exitCode()).isEqualTo(2);
    }

    private static void assertUsage(String message, String... options) {
        List<String> line = new ArrayList<>(List.of("redrive"));
        line.addAll(List.of(options));
        Cli cli = Cli.run(line.toArray(String[]::new));
        assertThat(cli.errLines()).first().isEqualTo("millrace: " + message);
        assertThat(cli.exitCode()).isEqualTo(2);
    }

    private static Cli redrive(String config, String... options) {
        List<String> line = new ArrayList<>(List.of("redrive", "--from", "failures", "--config", config));
        line.addAll(List.of(options));
        return Cli.run(line.toArray(String[]::new));
    }

    private static int selected(String config, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--dry-run");
        String summary = redrive(config, all.toArray(String[]::new)).errLines().getLast();
        return Integer.parseInt(summary.replaceAll(".* of (\\d+) failures.*", "$1"));
    }

    /** Sends prompts, lets an instance end them until there are so many endings, and stops it. */
    private static void answer(TestApp test, List<String> values, int endings) throws Exception {
        int partitions = test.kafka().partitions(test.prompts()).size();
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (String value : values) {
            ProducerRecord<byte[], byte[]> record = test.record(records.size() % partitions, value);
            record.headers().add("trace", new byte[] {'t'});
            records.add(record);
        }
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            test.kafka().produce(records);
            await().atMost(TIMEOUT).until(() -> test.endings() == endings);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> redriven(TestApp test) {
        return test.kafka().readCommitted(test.prompts()).stream()
                .filter(record -> record.headers().lastHeader(OF) != null)
                .toList();
    }

    private static ProducerRecord<byte[], byte[]> asRedriven(TestApp test, String id, String failure) {
        ProducerRecord<byte[], byte[]> record = test.record(0, json(id, "fail", ""));
        record.headers().add(OF, failure.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private static String json(String id, String prompt, String more) {
        return "{\"request_id\":\"" + id + "\",\"prompt\":\"" + prompt + "\"" + (more.isEmpty() ? "" : "," + more)
                + "}";
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return text(record.headers().lastHeader(name).value());
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private String config(TestApp test, TestKafka kafka) throws IOException {
        Path file = folder.resolve("millrace.yaml");
        Files.writeString(file, """
                application_id: %2$s
                kafka:
                  bootstrap.servers: "%1$s"
                topics:
                  prompts: %2$s-prompts
                  results: %2$s-results
                  metrics: %2$s-metrics
                  engine_metrics: %2$s-engine-metrics
                  failures: %2$s-failures
                  dead_letters: %2$s-dead-letters
                  control: %2$s-control
                """.formatted(kafka.bootstrapServers(), test.applicationId()));
        return file.toString();
    }
}
