package io.millrace.cli;

import io.millrace.schemas.serde.RecordFormat;
import io.millrace.sinks.JsonlSink;
import io.millrace.sinks.JsonlSinkOptions;
import io.millrace.sinks.JsonlSinkOptions.End;
import io.millrace.sinks.SinkException;
import io.millrace.sinks.ValueToJson;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace sink}: results out of Kafka. */
final class SinkCommand {

    private SinkCommand() {}

    /** Groups the others. */
    @Command(
            name = "sink",
            synopsisSubcommandLabel = "COMMAND",
            description = "Writes results out of Kafka.",
            footer = {"", "Example:", "  millrace sink jsonl ./answers"})
    static final class Group {}

    /** {@code sink jsonl}. */
    @Command(
            name = "jsonl",
            description = {
                "Writes committed records as JSON lines into rolled files, each record exactly once, whatever is killed when.",
                "",
                "Files that end in .jsonl are complete and on disk; one that ends in .jsonl.open is being written and holds the position:"
                        + " leave it there. Results and failures are read as the configuration says (JSON or Avro)."
            },
            footer = {
                "",
                "Examples:",
                "  millrace sink jsonl ./answers",
                "  millrace sink jsonl --until-end --topic millrace.results --topic millrace.failures ./answers"
            })
    static final class Jsonl implements Callable<Integer> {

        private static final long STOP_SECONDS = 30;

        private final Session session;

        @Parameters(paramLabel = "DIR", description = "Where the files go; created if missing.")
        Path directory = Path.of(".");

        @Option(
                names = "--topic",
                paramLabel = "TOPIC",
                description =
                        "A topic to write, may be given more than once (default: the configuration's results topic).")
        List<String> topics = List.of();

        @Option(names = "--until-end", description = "Stop when all that is committed now is written.")
        boolean untilEnd;

        @Option(
                names = "--max-bytes",
                paramLabel = "N",
                defaultValue = "" + JsonlSinkOptions.DEFAULT_MAX_BYTES,
                description = "A file is finished before it grows over this (default: ${DEFAULT-VALUE}).")
        long maxBytes = JsonlSinkOptions.DEFAULT_MAX_BYTES;

        @Option(
                names = "--max-age",
                paramLabel = "SECONDS",
                defaultValue = "600",
                description = "A file is finished when its first record is this old (default: ${DEFAULT-VALUE}).")
        long maxAgeSeconds;

        Jsonl(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws InterruptedException {
            Logging.configure(Logging.Mode.SERVICE, session.options());
            Map<String, Object> kafka = KafkaAccess.properties(session.config());
            List<String> read =
                    topics.isEmpty() ? List.of(session.config().topics().results()) : topics;
            KafkaAccess.require(kafka, read.toArray(String[]::new));
            try (JsonlSink sink = JsonlSink.open(options(kafka, read), values(kafka));
                    Shutdown _ = Shutdown.onSignal(sink::stop, STOP_SECONDS)) {
                long records = sink.run();
                session.terminal().err().println("Wrote " + records + " records to " + directory);
                return ExitCode.OK.value;
            } catch (SinkException e) {
                throw new CliException(ExitCode.KAFKA, String.valueOf(e.getMessage()), e);
            }
        }

        private JsonlSinkOptions options(Map<String, Object> kafka, List<String> read) {
            Map<String, String> properties = new HashMap<>();
            kafka.forEach((name, value) -> properties.put(name, value.toString()));
            try {
                return JsonlSinkOptions.of(directory, read, properties)
                        .withMaxBytes(maxBytes)
                        .withMaxAge(Duration.ofSeconds(maxAgeSeconds))
                        .withEnd(untilEnd ? End.UNTIL_END : End.FOLLOW);
            } catch (IllegalArgumentException e) {
                throw new CliException(
                        ExitCode.USAGE, "--" + String.valueOf(e.getMessage()).replaceFirst("^max_", "max-"), e);
            }
        }

        /** JSON goes through unread, from any topic; other formats are known for the configuration's topics. */
        private ValueToJson values(Map<String, Object> kafka) {
            return RecordFormat.of(kafka) == RecordFormat.JSON
                    ? ValueToJson.json()
                    : new RecordsAsJson(kafka, session.config().topics());
        }
    }
}
