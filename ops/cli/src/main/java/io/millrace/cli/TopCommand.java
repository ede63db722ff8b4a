package io.millrace.cli;

import io.millrace.cli.top.Fleet;
import io.millrace.cli.top.FleetView;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.TopicSettings;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace top}: the fleet, live. */
@Command(
        name = "top",
        description = {
            "Shows the fleet live: rates, latencies, batches, what is pending and why nothing is fetched, for each instance and model.",
            "",
            "It reads the topics of metrics, engine metrics and failures without a group, so any number of people may look. Latencies"
                    + " count from admission by an instance. On a terminal it redraws in place until Ctrl-C; piped, it prints a line"
                    + " for each engine and interval."
        },
        footer = {
            "",
            "Examples:",
            "  millrace top",
            "  millrace top --once",
            "  millrace top --interval 5 --window 60 --json >> fleet.jsonl"
        })
final class TopCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 240;
    private static final long STOP_SECONDS = 5;
    private static final int LONGEST_SECONDS = 3600;

    private final Session session;
    private final InstantSource clock;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private long unreadable;

    @Option(names = "--once", description = "Show it once, and end.")
    boolean once;

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            defaultValue = "1",
            description = "Time between two views (default: ${DEFAULT-VALUE}).")
    int interval = 1;

    @Option(
            names = "--window",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "How far back rates and latencies look (default: ${DEFAULT-VALUE}).")
    int window = 10;

    @Option(names = "--json", description = "Print a line of JSON for each view.")
    boolean json;

    TopCommand(Session session) {
        this(session, InstantSource.system());
    }

    TopCommand(Session session, InstantSource clock) {
        this.session = session;
        this.clock = clock;
    }

    @Override
    public Integer call() throws InterruptedException {
        check("--interval", interval);
        check("--window", window);
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        TopicSettings topics = session.config().topics();
        String[] names = {topics.engineMetrics(), topics.metrics(), topics.failures()};
        KafkaAccess.require(kafka, names);
        var fleet = new Fleet(Duration.ofSeconds(window));
        var records = new Records(fleet, kafka, topics);
        Instant start = clock.instant().minusSeconds(window);
        try (CommittedReader reader = CommittedReader.since(kafka, List.of(names), start);
                Shutdown _ = Shutdown.onSignal(() -> stopped.set(true), STOP_SECONDS)) {
            reader.read(false, Long.MAX_VALUE, records::take);
            show(fleet, reader, records);
        }
        return ExitCode.OK.value;
    }

    private static void check(String option, int seconds) {
        if (seconds < 1 || seconds > LONGEST_SECONDS) {
            throw new CliException(
                    ExitCode.USAGE, option + "=" + seconds + ", expected=1 to " + LONGEST_SECONDS + " seconds");
        }
    }

    private void show(Fleet fleet, CommittedReader reader, Records records) {
        try (TopDisplay display = display()) {
            Instant next = clock.instant();
            while (!stopped.get()) {
                FleetView view = fleet.view(clock.instant());
                display.show(view, unreadable);
                if (once || session.terminal().out().checkError()) {
                    return;
                }
                next = next.plusSeconds(interval);
                while (!stopped.get() && clock.instant().isBefore(next)) {
                    reader.poll().forEach(records::take);
                }
            }
        }
    }

    private TopDisplay display() {
        Terminal terminal = session.terminal();
        if (json) {
            return TopDisplay.json(terminal.out());
        }
        if (terminal.outColumns().isEmpty()) {
            return once
                    ? TopDisplay.screenOnce(terminal.out(), ZoneId.systemDefault(), PIPED_COLUMNS)
                    : TopDisplay.lines(terminal.out(), ZoneId.systemDefault(), PIPED_COLUMNS);
        }
        int columns = terminal.outColumns().getAsInt();
        return once
                ? TopDisplay.screenOnce(terminal.out(), ZoneId.systemDefault(), columns)
                : TopDisplay.live(terminal.out(), ZoneId.systemDefault(), () -> ScreenSize.now(columns));
    }

    /** Records to the fleet; what cannot be read is counted. */
    private final class Records {

        private final Fleet fleet;
        private final TopicSettings topics;
        private final Deserializer<EngineInterval> intervals;
        private final Deserializer<InferenceMetrics> metrics;
        private final Deserializer<InferenceFailure> failures;

        Records(Fleet fleet, Map<String, Object> kafka, TopicSettings topics) {
            this.fleet = fleet;
            this.topics = topics;
            intervals = RecordSerdes.deserializer(EngineInterval.class, kafka);
            metrics = RecordSerdes.deserializer(InferenceMetrics.class, kafka);
            failures = RecordSerdes.deserializer(InferenceFailure.class, kafka);
        }

        void take(ConsumerRecord<byte[], byte[]> record) {
            try {
                if (record.topic().equals(topics.engineMetrics())) {
                    fleet.add(intervals.deserialize(record.topic(), record.headers(), record.value()));
                } else if (record.topic().equals(topics.metrics())) {
                    fleet.add(metrics.deserialize(record.topic(), record.headers(), record.value()));
                } else {
                    fleet.add(failures.deserialize(record.topic(), record.headers(), record.value()));
                }
            } catch (SerializationException e) {
                unreadable++;
            }
        }
    }
}
