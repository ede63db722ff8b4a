package io.millrace.cli;

import io.millrace.bench.pipeline.RemoteBench;
import io.millrace.bench.pipeline.RemotePlan;
import io.millrace.bench.pipeline.RemoteTables;
import io.millrace.devstack.LlamaServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
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

    @Mixin
    ReportOptions options = new ReportOptions();

    @Option(
            names = "--server-threads",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description = "Threads that the server computes with, a row for each number (default: ${DEFAULT-VALUE}).")
    List<Integer> serverThreads = List.of(1);

    BenchRemoteCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        RemotePlan usual = options.quick ? RemotePlan.QUICK : RemotePlan.DEFAULT;
        RemotePlan plan = ReportOptions.checked(
                () -> usual.withServerThreads(serverThreads).withRounds(options.rounds(usual.rounds())));
        Path server = LlamaServer.find()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "no llama-server, expected=one that ops/servers/build-llama-server.sh has built, or "
                                + LlamaServer.VARIABLE + " to name its file"));
        Path file = session.model(model.model).file();
        return options.report(
                session,
                "remote",
                (folder, progress) -> RemoteTables.of(
                        RemoteBench.run(plan, new RemoteBench.Subject(server, file, folder), progress)));
    }
}
