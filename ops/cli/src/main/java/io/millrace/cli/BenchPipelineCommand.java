package io.millrace.cli;

import io.millrace.bench.pipeline.PipelineBench;
import io.millrace.bench.pipeline.PipelineReport;
import io.millrace.bench.pipeline.Plan;
import io.millrace.bench.pipeline.ReportFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code millrace bench pipeline}. */
@Command(
        name = "pipeline",
        description = {
            "Measures what Kafka and exactly-once cost: throughput, latency and idle CPU time, on a Kafka of its own.",
            "",
            "The same prompts go through the pipeline, straight into the engine, and through a topology that calls the engine one"
                    + " record at a time; they take turns in each round, and ratios are medians with the least and the most. Latency"
                    + " counts from the time at which a prompt was meant to be sent. A prompt that is not answered exactly once"
                    + " ends it without figures. It takes about a quarter of an hour on two cores."
        },
        footer = {"", "Examples:", "  millrace bench pipeline --out target/bench", "  millrace bench pipeline --quick"})
final class BenchPipelineCommand implements Callable<Integer> {

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @Option(names = "--rounds", paramLabel = "N", description = "Counted rounds, instead of the usual number.")
    @Nullable
    Integer rounds;

    @Option(names = "--quick", description = "A tiny workload: shows that it works, and measures nothing.")
    boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Also write pipeline.json, pipeline.md and pipeline.png into this directory.")
    @Nullable
    Path out;

    @Option(names = "--json", description = "Print one JSON object instead of tables.")
    boolean json;

    BenchPipelineCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Session.LocalModel local = session.model(model.model);
        Terminal terminal = session.terminal();
        PipelineReport report = measure(local);
        if (out != null) {
            ReportFiles.write(report, out);
        }
        terminal.out().print(json ? ReportFiles.json(report) + System.lineSeparator() : ReportFiles.markdown(report));
        return ExitCode.OK.value;
    }

    private PipelineReport measure(Session.LocalModel local) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("millrace-bench-");
        try (var progress = new ProgressLine(session.terminal())) {
            return PipelineBench.run(
                    plan(),
                    new PipelineBench.Subject(
                            local.settings().name(),
                            local.file(),
                            threads -> Engines.open(local, threads),
                            Main.class.getName(),
                            folder),
                    text -> progress.update("bench pipeline: " + text));
        } finally {
            delete(folder);
        }
    }

    private Plan plan() {
        Plan plan = quick ? Plan.QUICK : Plan.DEFAULT;
        try {
            return rounds == null ? plan : plan.withRounds(rounds);
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(folder)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : deepestFirst) {
            Files.deleteIfExists(each);
        }
    }
}
