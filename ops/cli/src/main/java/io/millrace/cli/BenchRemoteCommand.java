package io.millrace.cli;

import io.millrace.bench.pipeline.RemoteBench;
import io.millrace.bench.pipeline.RemoteBench.Subject;
import io.millrace.bench.pipeline.RemotePlan;
import io.millrace.bench.pipeline.RemoteTables;
import io.millrace.bench.pipeline.UnansweredException;
import io.millrace.devstack.LlamaServerOptions;
import io.millrace.remote.Secret;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code millrace bench remote}. */
@Command(
        name = "remote",
        description = {
            "Measures what it costs to ask a model server through Kafka, on a Kafka of its own.",
            "",
            "The same prompts go through Millrace and straight to the server by the best of 1 to 64 clients; they take turns in each"
                    + " round, and ratios are medians with the least and the most. Then users send prompts to the same server: alone,"
                    + " beside a bulk load, and beside one behind the slack gate. The server is llama.cpp's, which"
                    + " ops/servers/build-llama-server.sh builds, or with --server-url one of yours that runs. A prompt that is not answered exactly once, in full, ends it"
                    + " without figures."
        },
        footer = {
            "",
            "Examples:",
            "  millrace bench remote --out target/bench",
            "  millrace bench remote --quick",
            "  millrace bench remote --server-url http://gpu-1:8000/v1 --server-model my-model --server-slots 64 --prompts 1500"
        })
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
            description = "Threads that the server computes with, a row for each number (default: 1).")
    @Nullable
    List<Integer> serverThreads;

    @ArgGroup(exclusive = false, heading = "%nIn front of a server that runs already, llama.cpp's or vLLM:%n")
    @Nullable
    Running running;

    /** A server of the user's. It should do nothing else meanwhile. */
    static final class Running {

        @Option(
                names = "--server-url",
                paramLabel = "URL",
                required = true,
                description = "Its OpenAI address, such as http://127.0.0.1:8000/v1; its metrics are read at /metrics.")
        URI url = URI.create("");

        @Option(names = "--server-model", paramLabel = "NAME", required = true, description = "Its name for the model.")
        String model = "";

        @Option(
                names = "--server-api-key",
                paramLabel = "env:NAME|file:PATH",
                description = "Where the key is that it asks for (default: none).")
        @Nullable
        String apiKey;

        @Option(
                names = "--server-slots",
                paramLabel = "N",
                defaultValue = "16",
                description = "Requests that it works on together (default: ${DEFAULT-VALUE}).")
        int slots = 16;

        @Option(
                names = "--prompts",
                paramLabel = "N",
                defaultValue = "128",
                description = "Prompts for throughput; half as many are the bulk load (default: ${DEFAULT-VALUE}).")
        int prompts = 128;

        @Option(
                names = "--answer-tokens",
                paramLabel = "LEAST,MOST",
                split = ",",
                arity = "1",
                defaultValue = "8,40",
                description = "Length of answers, at random (default: ${DEFAULT-VALUE}).")
        List<Integer> answerTokens = List.of(8, 40);

        @Option(
                names = "--users-per-second",
                paramLabel = "N",
                defaultValue = "0.7",
                description = "Prompts of users beside the bulk load (default: ${DEFAULT-VALUE}).")
        double usersPerSecond = 0.7;

        @Option(
                names = "--warm-up",
                paramLabel = "SECONDS",
                defaultValue = "60",
                description = "How long Kafka and processor run before anything counts (default: ${DEFAULT-VALUE}).")
        int warmUp = 60;

        Subject subject() {
            return new Subject.Running(
                    url, model, Optional.ofNullable(apiKey).map(place -> Secret.at("server_api_key", place)));
        }

        RemotePlan plan(RemotePlan usual) {
            if (answerTokens.size() != 2) {
                throw new IllegalArgumentException(
                        "answer_tokens=" + answerTokens + ", expected=two numbers, such as 8,40");
            }
            if (!List.of("http", "https").contains(String.valueOf(url.getScheme())) || url.getHost() == null) {
                throw new IllegalArgumentException("server_url=" + url + ", expected=http://host:port/v1");
            }
            return usual.withServer(
                    slots,
                    prompts,
                    new RemotePlan.Answers(answerTokens.getFirst(), answerTokens.getLast()),
                    usersPerSecond,
                    Duration.ofSeconds(warmUp));
        }
    }

    BenchRemoteCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        RemotePlan usual = options.quick ? RemotePlan.QUICK : RemotePlan.DEFAULT;
        if (running != null && serverThreads != null) {
            throw new CliException(
                    ExitCode.USAGE, "server_threads=" + serverThreads + ", expected=none beside --server-url");
        }
        RemotePlan plan =
                ReportOptions.checked(() -> (running == null ? usual.withServerThreads(threads()) : running.plan(usual))
                        .withRounds(options.rounds(usual.rounds())));
        Subject subject = running == null ? started() : ReportOptions.checked(running::subject);
        try {
            return options.report(
                    session,
                    "remote",
                    (folder, progress) -> RemoteTables.of(RemoteBench.run(plan, subject, folder, progress)));
        } catch (UnansweredException e) {
            throw new CliException(ExitCode.INPUT, "no figures: " + e.getMessage(), e);
        }
    }

    private List<Integer> threads() {
        return serverThreads == null ? List.of(1) : serverThreads;
    }

    private Subject started() throws IOException {
        Path server = LlamaServerOptions.find()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "no llama-server, expected=one that ops/servers/build-llama-server.sh has built, or "
                                + LlamaServerOptions.VARIABLE + " to name its file, or --server-url"));
        return new Subject.Started(server, session.model(model.model).file());
    }
}
