package io.millrace.cli;

import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.TopicGrowth;
import io.millrace.streams.app.TopicGrowth.Mode;
import io.millrace.streams.app.TopicGrowth.Step;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace topics grow}: more partitions for the prompts topic. */
@Command(
        name = "grow",
        description = {
            "Gives the prompts topic more partitions, and the topics that must follow it.",
            "",
            "Every instance must be stopped, with nothing pending: the changelog of the pending store cannot grow, so it is deleted"
                    + " while it is empty and created again. Prompts that no instance has read yet stay where they are. While it"
                    + " runs, no instance can start. If it is cut off, run it again.",
            "",
            "A key's later prompts may go to another partition than its earlier ones."
        },
        footer = {
            "",
            "Examples:",
            "  millrace topics grow --partitions 64 --dry-run",
            "  millrace topics grow --partitions 64"
        })
final class TopicsGrowCommand implements Callable<Integer> {

    private final Session session;

    @Option(
            names = "--partitions",
            paramLabel = "N",
            required = true,
            description = "Partitions that the prompts topic shall have.")
    int partitions;

    @Option(names = "--dry-run", description = "Only say what would be done, and what stands against it.")
    boolean dryRun;

    TopicsGrowCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (partitions < 1) {
            throw new CliException(ExitCode.USAGE, "--partitions=" + partitions + ", expected=1 or more");
        }
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        KafkaAccess.require(kafka);
        ProcessorSettings settings = ProcessorSettings.of(session.config());
        PrintStream out = session.terminal().out();
        int steps;
        try (Admin admin = Admin.create(kafka)) {
            steps = TopicGrowth.grow(
                    admin,
                    settings,
                    partitions,
                    dryRun ? Mode.DRY_RUN : Mode.FOR_REAL,
                    step -> out.println(line(step)));
        }
        if (steps == 0) {
            out.println("Nothing to do: " + settings.promptsTopic() + " has " + partitions
                    + " partitions, and so have the topics that must follow it.");
        } else if (!dryRun) {
            out.println(
                    "Done. Set topics.partitions: " + partitions + " in the configuration, and start the instances.");
        }
        return ExitCode.OK.value;
    }

    private String line(Step step) {
        String topic = step.topic();
        return switch (step.action()) {
            case GROW ->
                (dryRun ? "Would grow " : "Grew ") + topic + " from " + step.from() + " to " + step.to()
                        + " partitions";
            case DELETE -> (dryRun ? "Would delete " : "Deleted ") + topic + ", which holds no prompts";
            case CREATE -> (dryRun ? "Would create " : "Created ") + topic + " with " + step.to() + " partitions";
        };
    }
}
