package io.millrace.cli;

import io.millrace.bench.pipeline.RemoteBench;
import io.millrace.bench.pipeline.RemotePlan;
import io.millrace.bench.pipeline.RemoteReport;
import io.millrace.bench.pipeline.RemoteReportFiles;
import io.millrace.devstack.LlamaServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code millrace bench remote}. */
@Command(
        name = "remote",
        description = {
            "Measures what it costs to ask a model server through Kafka, on a Kafka and a server of its own.",
            "",
            "The same prompts go through Millrace and straight to the server by the best of 1 to 64 clients; they take turns in each"
                    + " round, and ratios are medians with the least and the most. Then users send prompts to the same server: alone,"
                    + " beside a bulk load, and beside one behind the slack gate. The server is llama.cpp's, which"
                    + " ops/servers/build-llama-server.sh builds. A prompt that is not answered exactly once, in full, ends it"
                    + " without figures."
        },
        footer = {"", "Examples:", "  millrace bench remote --out target/bench", "  millrace bench remote --quick"})
final class BenchRemoteCommand implements Callable<Integer> {

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @Option(names = "--rounds", paramLabel = "N", description = "Counted rounds, instead of the usual number.")
    @Nullable
    Integer rounds;

    @Option(
            names = "--server-threads",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description = "Threads that the server computes with, a row for each number (default: ${DEFAULT-VALUE}).")
    List<Integer> serverThreads = List.of(1);

    @Option(names = "--quick", description = "A tiny workload: shows that it works, and measures nothing.")
    boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Also write remote.json, remote.md and remote.png into this directory.")
    @Nullable
    Path out;

    @Option(names = "--json", description = "Print one JSON object instead of tables.")
    boolean json;

    BenchRemoteCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        RemotePlan plan = plan();
        Path server = LlamaServer.find()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "no llama-server, expected=one that ops/servers/build-llama-server.sh has built, or "
                                + LlamaServer.VARIABLE + " to name its file"));
        Session.LocalModel local = session.model(model.model);
        RemoteReport report = measure(plan, server, local.file());
        if (out != null) {
            RemoteReportFiles.write(report, out);
        }
        session.terminal()
                .out()
                .print(
                        json
                                ? RemoteReportFiles.json(report) + System.lineSeparator()
                                : RemoteReportFiles.markdown(report));
        return ExitCode.OK.value;
    }

    private RemoteReport measure(RemotePlan plan, Path server, Path file) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("millrace-bench-");
        try (var progress = new ProgressLine(session.terminal())) {
            return RemoteBench.run(
                    plan,
                    new RemoteBench.Subject(server, file, folder),
                    text -> progress.update("bench remote: " + text));
        } finally {
            Folders.delete(folder);
        }
    }

    private RemotePlan plan() {
        RemotePlan plan = quick ? RemotePlan.QUICK : RemotePlan.DEFAULT;
        try {
            RemotePlan threads = plan.withServerThreads(serverThreads);
            return rounds == null ? threads : threads.withRounds(rounds);
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }
}
