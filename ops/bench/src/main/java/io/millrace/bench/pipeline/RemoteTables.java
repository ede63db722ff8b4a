package io.millrace.bench.pipeline;

import io.millrace.bench.Plot;
import io.millrace.bench.pipeline.RemoteReport.Beside;
import io.millrace.bench.pipeline.RemoteReport.Live;
import io.millrace.bench.pipeline.RemoteReport.Server;
import io.millrace.bench.pipeline.RemoteReport.Side;
import io.millrace.bench.pipeline.RemoteReport.Throughput;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A {@link RemoteReport} for programs and for people. */
public final class RemoteTables {

    private RemoteTables() {}

    public static ReportFiles of(RemoteReport report) throws IOException {
        Live live = report.live();
        var latency = new Plot.Lines(
                "Users' latency",
                "percentile",
                "ms",
                List.of(
                        ReportFiles.line("alone", live.alone().latency()),
                        ReportFiles.line("beside a bulk load", live.bulk().latency()),
                        ReportFiles.line("behind the slack gate", live.slack().latency())));
        return ReportFiles.of("remote", report, markdown(report), List.of(latency));
    }

    private static String markdown(RemoteReport report) {
        RemotePlan plan = report.plan();
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
        text.append(ReportFiles.heading(plan.throughput()));
        text.append(
                "| server threads | way | generated tokens/s | ratio | slots taken | all taken | waiting in the server then, most ever | CPU s: this JVM, broker |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for (Throughput each : report.throughput()) {
            row(text, each.serverThreads(), each.bestClients() + " clients, directly", each.direct(), "");
            row(
                    text,
                    each.serverThreads(),
                    "the same, streamed",
                    each.streamed(),
                    ReportFiles.spread(each.streamedRatio(), 3));
            row(text, each.serverThreads(), "Millrace", each.millrace(), ReportFiles.spread(each.ratio(), 3));
        }
        text.append('\n');
        for (Throughput each : report.throughput()) {
            text.append(String.format(
                    Locale.ROOT,
                    "%sokens/s by clients, one run each: %s; the same text from Millrace: %d of %d%n%n",
                    each.serverThreads() == 0 ? "T" : "Server threads " + each.serverThreads() + ": t",
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
                "| %s | %s | %s | %s | %.1f | %.0f %% | %.2f, %d | %.1f, %.1f |%n",
                threads == 0 ? "" : threads,
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
                "## Users of the same server: %.1f prompts/s at random, %d words, %d tokens each, straight to it%s%n%n",
                live.perSecond(),
                plan.live().words(),
                plan.live().maxTokens(),
                live.serverThreads() == 0 ? "" : "; " + live.serverThreads() + " threads"));
        text.append("| beside | users' prompts | p50, p99 ms | bulk prompts/s | slots taken, most waiting |\n");
        text.append("| --- | --- | --- | --- | --- |\n");
        beside(text, "nothing", live.alone());
        beside(text, "a bulk load through Millrace", live.bulk());
        beside(text, "the same behind the slack gate", live.slack());
        text.append(String.format(
                Locale.ROOT,
                "%nThe gate goes by the server's %s, read four times a second; requests : part of the budget: %s.%n",
                live.slackMetric(),
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
