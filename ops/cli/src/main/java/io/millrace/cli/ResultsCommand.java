package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.TopicSettings;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace results}: what the results and failures topics hold. */
@Command(
        name = "results",
        description = {
            "Shows results and failures, only committed ones (read_committed), from the beginning.",
            "",
            "With --json each record is a line of JSON with the record's own fields and a field kind, result or failure."
        },
        footer = {
            "",
            "Examples:",
            "  millrace results",
            "  millrace results --follow",
            "  millrace results --json --limit 100 > results.jsonl"
        })
final class ResultsCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 160;
    private static final int TABLE_ROWS = 500;

    private final Session session;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what comes, until interrupted or --limit is reached.")
    boolean follow;

    @Option(names = "--json", description = "Print a line of JSON for each record.")
    boolean json;

    @Option(names = "--limit", paramLabel = "N", description = "Stop after N records.")
    @Nullable
    Integer limit;

    ResultsCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (limit != null && limit < 1) {
            throw new CliException(ExitCode.USAGE, "--limit=" + limit + ", expected=1 or more");
        }
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        TopicSettings topics = session.config().topics();
        KafkaAccess.require(kafka, topics.results(), topics.failures());
        Printer printer = json ? new JsonPrinter(kafka, topics) : new TablePrinter(kafka, topics);
        try (var reader = new CommittedReader(kafka, List.of(topics.results(), topics.failures()))) {
            reader.read(follow, limit == null ? Long.MAX_VALUE : limit, printer::accept);
        } finally {
            printer.finish();
        }
        return ExitCode.OK.value;
    }

    /** Prints records as they come. */
    private abstract sealed class Printer permits JsonPrinter, TablePrinter {

        void accept(ConsumerRecord<byte[], byte[]> record) {
            try {
                print(record);
            } catch (SerializationException e) {
                String where = record.topic() + "-" + record.partition() + "@" + record.offset();
                session.terminal().err().println("millrace: " + where + ": " + e.getMessage());
            }
        }

        abstract void print(ConsumerRecord<byte[], byte[]> record);

        void finish() {
            session.terminal().out().flush();
        }
    }

    /** Lines of JSON. */
    private final class JsonPrinter extends Printer {

        private final RecordsAsJson json;
        private final String failuresTopic;

        JsonPrinter(Map<String, Object> kafka, TopicSettings topics) {
            json = new RecordsAsJson(kafka, topics);
            failuresTopic = topics.failures();
        }

        @Override
        void print(ConsumerRecord<byte[], byte[]> record) {
            ObjectNode line = Json.object().put("kind", record.topic().equals(failuresTopic) ? "failure" : "result");
            line.setAll(Json.parseObject(new String(json.toJson(record, record.value()), StandardCharsets.UTF_8)));
            Json.print(session.terminal().out(), line);
            if (follow) {
                finish();
            }
        }
    }

    /** Tables of at most {@value #TABLE_ROWS} rows; when following, each record is a table's row at once. */
    private final class TablePrinter extends Printer {

        private final Table table = AnswerTable.empty();
        private final Deserializer<InferenceResult> results;
        private final Deserializer<InferenceFailure> failures;
        private final String failuresTopic;
        private boolean headed;

        TablePrinter(Map<String, Object> kafka, TopicSettings topics) {
            results = RecordSerdes.deserializer(InferenceResult.class, kafka);
            failures = RecordSerdes.deserializer(InferenceFailure.class, kafka);
            failuresTopic = topics.failures();
        }

        @Override
        void print(ConsumerRecord<byte[], byte[]> record) {
            if (record.topic().equals(failuresTopic)) {
                AnswerTable.add(table, failures.deserialize(record.topic(), record.headers(), record.value()));
            } else {
                AnswerTable.add(table, results.deserialize(record.topic(), record.headers(), record.value()));
            }
            if (table.size() >= (follow ? 1 : TABLE_ROWS)) {
                finish();
            }
        }

        @Override
        void finish() {
            if (!table.isEmpty()) {
                Table.Head head = headed ? Table.Head.HIDDEN : Table.Head.SHOWN;
                table.print(
                        session.terminal().out(),
                        session.terminal().outColumns().orElse(PIPED_COLUMNS),
                        head);
                table.clear();
                headed = true;
            }
            super.finish();
        }
    }
}
