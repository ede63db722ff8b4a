package io.millrace.bench.pipeline;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.millrace.bench.Plot;
import io.millrace.bench.Sample;
import io.millrace.bench.pipeline.PipelineReport.Added;
import io.millrace.bench.pipeline.PipelineReport.Side;
import io.millrace.bench.pipeline.PipelineReport.Throughput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** A report as files: {@code pipeline.json}, {@code pipeline.md}, {@code pipeline.png}. */
public final class ReportFiles {

    private static final double MILLIS_PER_SECOND = 1e3;

    static final ObjectMapper MAPPER = new ObjectMapper()
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .registerModule(new SimpleModule()
                    .addSerializer(Sample.class, new SampleWriter())
                    .addSerializer(Duration.class, new SecondsWriter())
                    .addSerializer(OptionalDouble.class, new OptionalWriter()));

    private ReportFiles() {}

    /** Writes all three into a folder, which is created where there is none. */
    public static void write(PipelineReport report, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("pipeline.json"), json(report) + "\n");
        Files.writeString(folder.resolve("pipeline.md"), markdown(report));
        Plot.write(folder.resolve("pipeline.png"), panels(report));
    }

    /** One JSON object. */
    public static String json(PipelineReport report) throws IOException {
        return MAPPER.writeValueAsString(report);
    }

    /** Tables, for people. */
    public static String markdown(PipelineReport report) {
        Plan plan = report.plan();
        Plan.Burst burst = plan.throughput();
        var text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %d processors, JDK %s; median (least to most) of %d rounds in which all that is compared takes turns.%n%n",
                report.model(),
                report.processors(),
                report.java(),
                plan.rounds()));
        text.append(String.format(
                Locale.ROOT,
                "## Throughput: %d prompts of %d words, %s tokens each, all there at the start%n%n",
                burst.prompts(),
                burst.words(),
                burst.tokens()));
        text.append(
                "| engine | way | generated tokens/s | ratio | mean batch | engine busy | CPU s: this JVM, broker | commits/s, ms each |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        throughput(text, report.oneThread());
        throughput(text, report.allCores());
        row(text, "1 thread", "one record at a time", report.blocking().side(), "");
        text.append(String.format(
                Locale.ROOT,
                "%npipeline / one record at a time, one thread: %s%n",
                spread(report.blocking().ratio(), 2)));
        text.append(String.format(
                Locale.ROOT,
                "same answers from engine and pipeline: %d of %d%n%n",
                report.oneThread().sameAnswers() + report.allCores().sameAnswers(),
                report.oneThread().answers() + report.allCores().answers()));
        text.append(String.format(
                Locale.ROOT,
                "## Latency, ms from the intended time of sending (arrivals at random, %.2f of the engine's rate on one thread)%n%n",
                plan.load().share()));
        text.append(
                "| engine | prompts/s | reference p50, p99 | pipeline p50, p99 | added at p50 | added at p99 | of each prompt, outside the engine p50, p99 |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- |\n");
        latency(text, report.model() + ", 1 thread; reference: the engine alone", report.loaded());
        latency(text, "answers at once; reference: a topic written and read", report.immediate());
        report.idlePercent()
                .ifPresent(percent -> text.append(String.format(
                        Locale.ROOT,
                        "%nA process without prompts: %.2f %% of a core over %d s%n",
                        percent,
                        plan.idle().toSeconds())));
        return text.toString();
    }

    private static void throughput(StringBuilder text, Throughput throughput) {
        String threads = throughput.threads() + (throughput.threads() == 1 ? " thread" : " threads");
        row(text, threads, "engine", throughput.engine(), "");
        row(text, threads, "pipeline", throughput.pipeline(), spread(throughput.ratio(), 3));
    }

    private static void row(StringBuilder text, String engine, String way, Side side, String ratio) {
        text.append(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f | %.3f | %.1f, %.1f | %.1f, %.1f |%n",
                engine,
                way,
                spread(side.tokensPerSecond(), 0),
                ratio,
                side.meanBatch(),
                side.busyFraction(),
                side.jvmCpuSeconds(),
                side.brokerCpuSeconds(),
                side.commitsPerSecond(),
                side.commitMs()));
    }

    private static void latency(StringBuilder text, String engine, Added added) {
        text.append(String.format(
                Locale.ROOT,
                "| %s | %.1f | %.1f, %.1f | %.1f, %.1f | %s | %s | %.1f, %.1f |%n",
                engine,
                added.perSecond(),
                added.reference().p50(),
                added.reference().p99(),
                added.pipeline().p50(),
                added.pipeline().p99(),
                spread(added.addedP50Ms(), 1),
                spread(added.addedP99Ms(), 1),
                added.outsideEngine().p50(),
                added.outsideEngine().p99()));
    }

    static String spread(Sample sample, int decimals) {
        return number(sample.median(), decimals) + " (" + number(sample.least(), decimals) + " to "
                + number(sample.most(), decimals) + ")";
    }

    private static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static List<Plot.Panel> panels(PipelineReport report) {
        return List.of(
                new Plot.Bars(
                        "Generated tokens per second, all prompts there at the start",
                        "tokens/s",
                        List.of("one thread", report.allCores().threads() + " threads"),
                        List.of(
                                bar(
                                        "engine",
                                        report.oneThread().engine(),
                                        report.allCores().engine()),
                                bar(
                                        "pipeline",
                                        report.oneThread().pipeline(),
                                        report.allCores().pipeline()),
                                new Plot.Bar(
                                        "one at a time",
                                        List.of(
                                                report.blocking()
                                                        .side()
                                                        .tokensPerSecond()
                                                        .median(),
                                                0.0),
                                        List.of(half(report.blocking().side().tokensPerSecond()), 0.0)))),
                curves(
                        String.format(
                                Locale.ROOT,
                                "Latency at %.2f of the engine's rate",
                                report.plan().load().share()),
                        "engine",
                        report.loaded()),
                curves("Latency with an engine that answers at once", "topic", report.immediate()));
    }

    private static Plot.Bar bar(String name, Side one, Side all) {
        return new Plot.Bar(
                name,
                List.of(one.tokensPerSecond().median(), all.tokensPerSecond().median()),
                List.of(half(one.tokensPerSecond()), half(all.tokensPerSecond())));
    }

    private static double half(Sample sample) {
        return (sample.most() - sample.least()) / 2;
    }

    private static Plot.Lines curves(String title, String reference, Added added) {
        return new Plot.Lines(
                title,
                "percentile",
                "ms",
                List.of(line(reference, added.reference()), line("pipeline", added.pipeline())));
    }

    private static Plot.Line line(String name, PipelineReport.Latency latency) {
        double[] percents = IntStream.range(0, latency.percentiles().length)
                .asDoubleStream()
                .toArray();
        return new Plot.Line(name, percents, latency.percentiles());
    }

    private static final class SampleWriter extends JsonSerializer<Sample> {
        @Override
        public void serialize(Sample sample, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeStartObject();
            json.writeNumberField("median", sample.median());
            json.writeNumberField("min", sample.least());
            json.writeNumberField("max", sample.most());
            json.writeFieldName("values");
            json.writeArray(sample.values(), 0, sample.values().length);
            json.writeEndObject();
        }
    }

    private static final class SecondsWriter extends JsonSerializer<Duration> {
        @Override
        public void serialize(Duration time, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeNumber(time.toMillis() / MILLIS_PER_SECOND);
        }
    }

    private static final class OptionalWriter extends JsonSerializer<OptionalDouble> {
        @Override
        public void serialize(OptionalDouble value, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            if (value.isPresent()) {
                json.writeNumber(value.getAsDouble());
            } else {
                json.writeNull();
            }
        }
    }
}
