package io.millrace.cli;

import io.millrace.bench.pipeline.PipelineBench;
import io.millrace.bench.pipeline.PipelineTables;
import io.millrace.bench.pipeline.Plan;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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

    @Mixin
    ReportOptions options = new ReportOptions();

    BenchPipelineCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Plan usual = options.quick ? Plan.QUICK : Plan.DEFAULT;
        Plan plan = ReportOptions.checked(() -> usual.withRounds(options.rounds(usual.rounds())));
        Session.LocalModel local = session.model(model.model);
        return options.report(session, "pipeline", (folder, progress) -> {
            var subject = new PipelineBench.Subject(
                    local.settings().name(),
                    local.file(),
                    threads -> Engines.open(local, threads),
                    Main.class.getName(),
                    folder);
            return PipelineTables.of(PipelineBench.run(plan, subject, progress));
        });
    }
}
