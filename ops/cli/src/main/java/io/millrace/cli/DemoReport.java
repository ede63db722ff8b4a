package io.millrace.cli;

import io.millrace.engine.EngineStats;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Timings;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.TopicSettings;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** What the demo's topics say in the end, and how it is shown. */
final class DemoReport {

    private static final int PIPED_COLUMNS = 140;

    /** How the samples mark them, in metadata.task. */
    private static final String WRONG_ON_PURPOSE = "bad";

    private static final double MILLIS_PER_SECOND = 1e3;

    private final Deserializer<InferenceResult> resultReader;
    private final Deserializer<InferenceFailure> failureReader;
    private final TopicSettings topics;
    private final List<InferenceResult> results = new ArrayList<>();
    private final List<InferenceFailure> failures = new ArrayList<>();
    private long deadLetters;
    private double seconds;
    private @Nullable EngineStats engine;

    DemoReport(Map<String, ?> kafka, TopicSettings topics) {
        this.resultReader = RecordSerdes.deserializer(InferenceResult.class, kafka);
        this.failureReader = RecordSerdes.deserializer(InferenceFailure.class, kafka);
        this.topics = topics;
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
        if (record.topic().equals(topics.results())) {
            results.add(resultReader.deserialize(record.topic(), record.headers(), record.value()));
        } else if (record.topic().equals(topics.failures())) {
            failures.add(failureReader.deserialize(record.topic(), record.headers(), record.value()));
        } else {
            deadLetters++;
        }
    }

    /** Prompts that have their one ending. */
    long ended() {
        return results.size() + failures.size() + deadLetters;
    }

    /** Failures of prompts that the samples do not mark as wrong, and dead letters. */
    long unmeantFailures() {
        return deadLetters
                + failures.stream()
                        .filter(failure ->
                                !WRONG_ON_PURPOSE.equals(failure.getMetadata().get("task")))
                        .count();
    }

    void setSeconds(double value) {
        seconds = value;
    }

    void setEngine(EngineStats value) {
        engine = value;
    }

    String progress(long prompts) {
        return String.format(
                Locale.ROOT,
                "%d of %d prompts ended, %d tokens generated, %.0f tokens/s",
                ended(),
                prompts,
                generatedTokens(),
                perSecond(generatedTokens()));
    }

    void print(Terminal terminal) {
        PrintStream out = terminal.out();
        int columns = terminal.outColumns().orElse(PIPED_COLUMNS);
        printAnswers(out, columns);
        printFailures(out, columns);
        printLatencies(out, columns);
        out.println();
        out.println(
                "A model of 135 million parameters answers weakly; name a better one: ./millrace demo --model FILE.gguf, or under"
                        + " models: in millrace.yaml.");
        out.flush();
    }

    private void printAnswers(PrintStream out, int columns) {
        results.sort(Comparator.comparing(InferenceResult::getRequestId));
        Table table = AnswerTable.empty();
        results.forEach(result -> AnswerTable.add(table, result));
        table.print(out, columns);
    }

    private void printFailures(PrintStream out, int columns) {
        out.println();
        long unmeant = unmeantFailures();
        out.println(failures.size() + " failures, "
                + (unmeant == 0
                        ? "of prompts that are wrong on purpose:"
                        : unmeant + " of prompts that are not wrong:"));
        Table table = new Table().column("REQUEST").column("CODE").column("WHY");
        failures.sort(Comparator.comparing(InferenceFailure::getRequestId));
        failures.forEach(failure -> table.row(failure.getRequestId(), failure.getCode(), failure.getMessage()));
        table.print(out, columns);
    }

    private void printLatencies(PrintStream out, int columns) {
        out.println();
        Table table =
                new Table().column("LATENCY").column("P50", Table.Align.RIGHT).column("P95", Table.Align.RIGHT);
        addLatency(table, "queue", Timings::getQueueMs);
        addLatency(table, "first token", Timings::getTimeToFirstTokenMs);
        addLatency(table, "total", Timings::getTotalMs);
        table.print(out, columns);
        long prompt = results.stream()
                .mapToLong(result -> result.getUsage().getPromptTokens())
                .sum();
        out.printf(
                Locale.ROOT,
                "%n%d answers in %.1f s: %d prompt and %d generated tokens, %.0f and %.0f tokens/s, average batch %.1f sequences%n",
                results.size(),
                seconds,
                prompt,
                generatedTokens(),
                perSecond(prompt),
                perSecond(generatedTokens()),
                averageBatch());
    }

    private void addLatency(Table table, String name, ToDoubleFunction<Timings> stage) {
        double[] millis = results.stream()
                .map(InferenceResult::getTimings)
                .mapToDouble(stage)
                .sorted()
                .toArray();
        table.row(name, percentile(millis, 50), percentile(millis, 95));
    }

    /** The nearest rank: a value that was measured. */
    static String percentile(double[] sortedMillis, int percent) {
        if (sortedMillis.length == 0) {
            return "-";
        }
        int rank = Math.ceilDiv(percent * sortedMillis.length, 100);
        return String.format(Locale.ROOT, "%.2f s", sortedMillis[Math.max(rank, 1) - 1] / MILLIS_PER_SECOND);
    }

    private long generatedTokens() {
        return results.stream()
                .mapToLong(result -> result.getUsage().getCompletionTokens())
                .sum();
    }

    private double perSecond(long tokens) {
        return seconds > 0 ? tokens / seconds : 0;
    }

    private double averageBatch() {
        return engine == null || engine.stepsTotal() == 0
                ? 0
                : (double) engine.stepSequencesTotal() / engine.stepsTotal();
    }
}
