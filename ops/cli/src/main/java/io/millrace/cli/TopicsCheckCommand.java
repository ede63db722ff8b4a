package io.millrace.cli;

import io.millrace.streams.app.Finding;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace topics check}: what {@code process} checks when it starts, and the notes too. */
@Command(
        name = "check",
        description = {
            "Checks that topics and brokers are as exactly-once and quick restores need them.",
            "",
            "An ERROR keeps 'process' from starting (exit code 6). A WARNING works, but something can be lost, late or slow (exit"
                    + " code 7). A NOTE is good to know (exit code 0)."
        },
        footer = {
            "",
            "Examples:",
            "  millrace topics check",
            "  millrace topics check --fix --bootstrap-server kafka:9092"
        })
final class TopicsCheckCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 160;

    private static final String READERS =
            "Readers of results, failures and dead-letters must set isolation.level=read_committed; Kafka's default also shows what"
                    + " was aborted.";

    private final Session session;

    @Option(
            names = "--fix",
            description =
                    "Change the settings that are safe to change while everything runs. No data is touched, no topic created.")
    boolean fix;

    TopicsCheckCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        KafkaAccess.require(kafka);
        ProcessorSettings settings = ProcessorSettings.of(session.config());
        PrintStream out = session.terminal().out();
        List<Finding> open;
        try (Admin admin = Admin.create(kafka)) {
            open = new ArrayList<>(Topics.check(admin, settings));
            if (fix) {
                open.removeIf(finding -> fix(admin, finding, out));
            }
        }
        if (open.isEmpty()) {
            out.println("All fine: " + settings.promptsTopic() + " and the topics that belong to it.");
        } else {
            print(open, out);
        }
        out.println(READERS);
        return exitCode(open).value;
    }

    private static boolean fix(Admin admin, Finding finding, PrintStream out) {
        if (finding.fix().isEmpty()) {
            return false;
        }
        Topics.fix(admin, finding);
        out.println("Changed " + finding.subject() + ": " + finding.setting() + " from " + finding.is() + " to "
                + finding.fix().get());
        return true;
    }

    /** The table has what was found; remedies are sentences, and one may be for several rows. */
    private void print(List<Finding> findings, PrintStream out) {
        Table table = new Table()
                .column("#", Table.Align.RIGHT)
                .column("SEVERITY")
                .column("TOPIC")
                .column("SETTING")
                .column("IS", Table.Align.RIGHT)
                .column("EXPECTED");
        Map<String, List<String>> remedies = new LinkedHashMap<>();
        for (int i = 0; i < findings.size(); i++) {
            Finding finding = findings.get(i);
            String number = Integer.toString(i + 1);
            table.row(
                    number, finding.severity(), finding.subject(), finding.setting(), finding.is(), finding.expected());
            remedies.computeIfAbsent(finding.remedy(), _ -> new ArrayList<>()).add(number);
        }
        table.print(out, session.terminal().outColumns().orElse(PIPED_COLUMNS));
        out.println();
        out.println("Remedies:");
        remedies.forEach((remedy, numbers) -> out.println("  " + String.join(", ", numbers) + ": " + remedy));
        out.println();
    }

    private static ExitCode exitCode(List<Finding> findings) {
        Finding.Severity worst = findings.stream()
                .map(Finding::severity)
                .max(Finding.Severity::compareTo)
                .orElse(Finding.Severity.NOTE);
        return switch (worst) {
            case NOTE -> ExitCode.OK;
            case WARNING -> ExitCode.WARNING;
            case ERROR -> ExitCode.KAFKA;
        };
    }
}
