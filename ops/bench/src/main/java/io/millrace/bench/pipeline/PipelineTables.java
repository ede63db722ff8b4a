package io.millrace.bench.pipeline;

import io.millrace.bench.Plot;
import io.millrace.bench.Sample;
import io.millrace.bench.pipeline.PipelineReport.Added;
import io.millrace.bench.pipeline.PipelineReport.Side;
import io.millrace.bench.pipeline.PipelineReport.Throughput;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** A {@link PipelineReport} for programs and for people. */
public final class PipelineTables {

    private PipelineTables() {}

    public static ReportFiles of(PipelineReport report) throws IOException {
        return ReportFiles.of("pipeline", report, markdown(report), panels(report));
    }

    private static String markdown(PipelineReport report) {
        Plan plan = report.plan();
        var text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %d processors, JDK %s; median (least to most) of %d rounds in which all that is compared takes turns.%n%n",
                report.model(),
                report.processors(),
                report.java(),
                plan.rounds()));
        text.append(ReportFiles.heading(plan.throughput()));
        text.append(
                "| engine | way | generated tokens/s | ratio | mean batch | engine busy | CPU s: this JVM, broker | commits/s, ms each |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        throughput(text, report.oneThread());
        throughput(text, report.allCores());
        row(text, "1 thread", "one record at a time", report.blocking().side(), "");
        text.append(String.format(
                Locale.ROOT,
                "%npipeline / one record at a time, one thread: %s%n",
                ReportFiles.spread(report.blocking().ratio(), 2)));
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
        row(text, threads, "pipeline", throughput.pipeline(), ReportFiles.spread(throughput.ratio(), 3));
    }

    private static void row(StringBuilder text, String engine, String way, Side side, String ratio) {
        text.append(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f | %.3f | %.1f, %.1f | %.1f, %.1f |%n",
                engine,
                way,
                ReportFiles.spread(side.tokensPerSecond(), 0),
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
                ReportFiles.spread(added.addedP50Ms(), 1),
                ReportFiles.spread(added.addedP99Ms(), 1),
                added.outsideEngine().p50(),
                added.outsideEngine().p99()));
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
                List.of(
                        ReportFiles.line(reference, added.reference()),
                        ReportFiles.line("pipeline", added.pipeline())));
    }
}
