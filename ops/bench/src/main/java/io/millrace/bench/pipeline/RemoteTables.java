package io.millrace.bench.pipeline;

import io.millrace.bench.Plot;
import io.millrace.bench.pipeline.RemoteReport.Beside;
import io.millrace.bench.pipeline.RemoteReport.Live;
import io.millrace.bench.pipeline.RemoteReport.Server;
import io.millrace.bench.pipeline.RemoteReport.Side;
import io.millrace.bench.pipeline.RemoteReport.Throughput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A report as files: {@code remote.json}, {@code remote.md}, {@code remote.png}. */
public final class RemoteReportFiles {

    private RemoteReportFiles() {}

    /** Writes all three into a folder, which is created where there is none. */
    public static void write(RemoteReport report, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("remote.json"), json(report) + "\n");
        Files.writeString(folder.resolve("remote.md"), markdown(report));
        Plot.write(
                folder.resolve("remote.png"),
                List.of(new Plot.Lines(
                        "Users' latency",
                        "percentile",
                        "ms",
                        List.of(
                                line("alone", report.live().alone()),
                                line("beside a bulk load", report.live().bulk()),
                                line("behind the slack gate", report.live().slack())))));
    }

    private static Plot.Line line(String name, Beside beside) {
        double[] values = beside.latency().percentiles();
        double[] percents = IntStream.range(0, values.length).asDoubleStream().toArray();
        return new Plot.Line(name, percents, values);
    }

    /** One JSON object. */
    public static String json(RemoteReport report) throws IOException {
        return ReportFiles.MAPPER.writeValueAsString(report);
    }

    /** Tables, for people. */
    public static String markdown(RemoteReport report) {
        RemotePlan plan = report.plan();
        Plan.Burst burst = plan.throughput();
        var text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, model %s, %d slots; %d processors that server, broker, Millrace and clients share; JDK %s; median (least to"
                        + " most) of %d rounds in which all that is compared takes turns.%n%n",
                report.server(),
                report.model(),
                plan.slots(),
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
                "| server threads | way | generated tokens/s | ratio | slots taken | all taken | waiting in the server then, most ever | CPU s: this JVM, broker |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for (Throughput each : report.throughput()) {
            row(text, each.serverThreads(), each.bestClients() + " clients, directly", each.direct(), "");
            row(text, each.serverThreads(), "Millrace", each.millrace(), ReportFiles.spread(each.ratio(), 3));
        }
        text.append('\n');
        for (Throughput each : report.throughput()) {
            text.append(String.format(
                    Locale.ROOT,
                    "Server threads %d: tokens/s by clients, one run each: %s; the same text both ways: %d of %d%n%n",
                    each.serverThreads(),
                    each.search().stream()
                            .map(tried ->
                                    String.format(Locale.ROOT, "%d: %.0f", tried.clients(), tried.tokensPerSecond()))
                            .collect(Collectors.joining(", ")),
                    each.sameAnswers(),
                    each.answers()));
        }
        live(text, plan, report.live());
        return text.toString();
    }

    private static void row(StringBuilder text, int threads, String way, Side side, String ratio) {
        Server server = side.server();
        text.append(String.format(
                Locale.ROOT,
                "| %d | %s | %s | %s | %.1f | %.0f %% | %.2f, %d | %.1f, %.1f |%n",
                threads,
                way,
                ReportFiles.spread(side.tokensPerSecond(), 0),
                ratio,
                server.processing(),
                server.fullFraction() * 100,
                server.deferredWhileFull(),
                server.mostDeferred(),
                side.jvmCpuSeconds(),
                side.brokerCpuSeconds()));
    }

    private static void live(StringBuilder text, RemotePlan plan, Live live) {
        text.append(String.format(
                Locale.ROOT,
                "## Users of the same server: %.1f prompts/s at random, %d words, %d tokens each, straight to it; %d threads%n%n",
                live.perSecond(),
                plan.live().words(),
                plan.live().maxTokens(),
                live.serverThreads()));
        text.append("| beside | users' prompts | p50, p99 ms | bulk prompts/s | slots taken, most waiting |\n");
        text.append("| --- | --- | --- | --- | --- |\n");
        beside(text, "nothing", live.alone());
        beside(text, "a bulk load through Millrace", live.bulk());
        beside(text, "the same behind the slack gate", live.slack());
        text.append(String.format(
                Locale.ROOT,
                "%nThe gate goes by the server's requests_processing, read four times a second; requests : part of the budget: %s.%n",
                live.slackCurve()));
    }

    private static void beside(StringBuilder text, String what, Beside beside) {
        text.append(String.format(
                Locale.ROOT,
                "| %s | %d | %.0f, %.0f | %s | %.1f, %d |%n",
                what,
                beside.prompts(),
                beside.latency().p50(),
                beside.latency().p99(),
                ReportFiles.spread(beside.bulkPerSecond(), 2),
                beside.server().processing(),
                beside.server().mostDeferred()));
    }
}
