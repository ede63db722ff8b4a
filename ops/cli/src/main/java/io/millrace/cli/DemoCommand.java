package io.millrace.cli;

import io.millrace.devstack.EmbeddedKafka;
import io.millrace.ingest.LineReader;
import io.millrace.ingest.PromptReader;
import io.millrace.ingest.PromptReader.Defaults;
import io.millrace.ingest.PromptReader.Entry;
import io.millrace.ingest.PromptReader.Format;
import io.millrace.ingest.PromptSubmitter;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.TopicSettings;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code millrace demo}: the whole road in one process. */
@Command(
        name = "demo",
        description = {
            "Runs the whole road once, in this process: a Kafka, the processor and a small model answer a support desk's prompts.",
            "",
            "It fetches the model if it is not here yet, submits the prompts of ops/samples, reads the results as a read_committed"
                    + " consumer, and shows answers, failures (three of the prompts are wrong on purpose) and latencies. Nothing of"
                    + " it stays but the model."
        },
        footer = {"", "Examples:", "  millrace demo", "  millrace demo --model ./better.gguf"})
final class DemoCommand implements Callable<Integer> {

    private static final int PARTITIONS = 4;
    private static final Duration LONGEST = Duration.ofMinutes(10);
    private static final String SAMPLES = "/samples/support-desk.jsonl";

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    DemoCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Session.LocalModel local = session.model(model.model);
        try (var folder = TemporaryFolder.create("millrace-demo-");
                var progress = new ProgressLine(session.terminal())) {
            progress.update("Starting Kafka …");
            try (EmbeddedKafka kafka = EmbeddedKafka.start(folder.path())) {
                MillraceConfig config = OwnKafka.serving(
                        OwnKafka.config(session.config(), "millrace-demo", kafka, PARTITIONS, Map.of()), local);
                OwnKafka.createTopics(config);
                progress.update("Loading the model …");
                try (Processor processor =
                        Processor.start(config, List.of(local), ProcessorHooks.of(ProcessorObserver.NONE))) {
                    DemoReport report = run(config, processor, progress);
                    progress.clear();
                    report.print(session.terminal());
                    return (report.unmeantFailures() == 0 ? ExitCode.OK : ExitCode.INPUT).value;
                }
            }
        }
    }

    private DemoReport run(MillraceConfig config, Processor processor, ProgressLine progress)
            throws IOException, InterruptedException {
        progress.update("Joining the group …");
        if (!processor.app().awaitRunning(LONGEST)) {
            throw new CliException(ExitCode.INTERNAL, "the processor did not start within " + LONGEST);
        }
        TopicSettings topics = config.topics();
        Map<String, Object> kafka = KafkaAccess.properties(config);
        var report = new DemoReport(kafka, topics);
        try (var reader =
                new CommittedReader(kafka, List.of(topics.results(), topics.failures(), topics.deadLetters()))) {
            long prompts = submit(kafka, topics.prompts());
            long start = System.nanoTime();
            while (report.ended() < prompts) {
                if (System.nanoTime() - start > LONGEST.toNanos()) {
                    throw new CliException(
                            ExitCode.INTERNAL,
                            "answers=" + report.ended() + ", expected=" + prompts + " within " + LONGEST);
                }
                for (ConsumerRecord<byte[], byte[]> record : reader.poll()) {
                    report.add(record);
                }
                report.setSeconds((System.nanoTime() - start) / 1e9);
                progress.update(report.progress(prompts));
            }
        }
        report.setEngine(
                Objects.requireNonNull(processor.app().status().engines().get(config.defaultModel())));
        return report;
    }

    /** Sends the samples as {@code submit} does, and returns how many Kafka has. */
    private static long submit(Map<String, Object> kafka, String topic) throws IOException, InterruptedException {
        InputStream samples =
                Objects.requireNonNull(DemoCommand.class.getResourceAsStream(SAMPLES), "resource " + SAMPLES);
        try (var prompts = new PromptReader(new LineReader(samples), Format.JSON, Defaults.NONE);
                var submitter = new PromptSubmitter(
                        PromptSubmitter.idempotentProducer(kafka),
                        RecordSerdes.serializer(PromptRequest.class, kafka),
                        topic,
                        (line, e) -> {
                            throw new IllegalStateException("sample of line " + line, e);
                        })) {
            for (Optional<Entry> entry = prompts.next(); entry.isPresent(); entry = prompts.next()) {
                switch (entry.get()) {
                    case Entry.Prompt prompt -> submitter.submit(prompt.line(), prompt.request());
                    case Entry.Bad bad ->
                        throw new IllegalStateException("sample of line " + bad.line() + ": " + bad.reason());
                }
            }
            return submitter.finish().acknowledged();
        }
    }
}
