package io.millrace.cli;

import io.millrace.bench.chaos.ChaosPlan;
import io.millrace.bench.chaos.ChaosReport;
import io.millrace.bench.chaos.ChaosRun;
import io.millrace.bench.chaos.FaultKind;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench chaos}. */
@Command(
        name = "chaos",
        description = {
            "Breaks workers, brokers and connections while prompts are answered, and proves that each got exactly one ending.",
            "",
            "Starts a cluster of three brokers and worker processes with a real model, on this machine; sends prompts at a steady rate, one"
                    + " in twenty of which must fail; injects faults by a seeded schedule; then waits until everything has ended, stops the"
                    + " workers and reads all topics. All processes end with this one.",
            "",
            "The same seed gives the same schedule and the same prompts; how processes interleave differs from run to run.",
            "",
            "RECOVERY is the time from a fault until a read_committed consumer sees the first ending that was made after it and belongs to"
                    + " what it hit: for a worker, to a partition that it held; for a broker and its connections, to a partition whose prompts,"
                    + " results or pending store it led; for scale-up, to the new worker. It includes the wait for that partition's next"
                    + " prompt and its generation, and what other faults add. lost-ack has none: the proxy cannot tell whose transaction it"
                    + " was.",
            "",
            "Faults:"
        },
        footer = {
            "",
            "Exit code 1 if a prompt was lost, doubled or wrongly failed, or anything else is left over; the logs are then kept.",
            "",
            "Examples:",
            "  millrace bench chaos --minutes 2",
            "  millrace bench chaos --minutes 20 --seed 7 --workers 4 --report chaos.json",
            "  millrace bench chaos --faults kill,broker-kill --rate 4"
        })
final class BenchChaosCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 140;

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @Option(
            names = "--minutes",
            paramLabel = "M",
            defaultValue = "5",
            description = "How long prompts come and faults happen; fractions are fine (default: ${DEFAULT-VALUE}).")
    double minutes = 5;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Seed of faults and prompts (default: a new one, which is printed).")
    @Nullable
    Long seed;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "3",
            description = "Worker processes (default: ${DEFAULT-VALUE}).")
    int workers = 3;

    @Option(
            names = "--rate",
            paramLabel = "R",
            defaultValue = "2",
            description = "Prompts a second (default: ${DEFAULT-VALUE}).")
    double rate = 2;

    @Option(
            names = "--gap",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "Mean time between two faults (default: ${DEFAULT-VALUE}).")
    double gapSeconds = 10;

    @Option(
            names = "--faults",
            paramLabel = "NAME",
            split = ",",
            description = "Kinds of faults, by commas (default: all).")
    List<String> faults = new ArrayList<>();

    @Option(names = "--report", paramLabel = "FILE", description = "Write all figures there, as JSON.")
    @Nullable
    Path report;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description =
                    "Keep the logs and the cluster's data there (default: a temporary one, kept if something is wrong).")
    @Nullable
    Path directory;

    BenchChaosCommand(Session session) {
        this.session = session;
    }

    /** With the kinds of faults in its help. */
    static CommandLine commandLine(Session session) {
        var commandLine = new CommandLine(new BenchChaosCommand(session));
        var usage = commandLine.getCommandSpec().usageMessage();
        List<String> description = new ArrayList<>(List.of(usage.description()));
        for (FaultKind kind : FaultKind.values()) {
            description.add("  %-15s %s".formatted(kind, kind.description()));
        }
        usage.description(description.toArray(String[]::new));
        return commandLine;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        ChaosPlan plan = plan();
        Terminal terminal = session.terminal();
        terminal.out().println("seed " + plan.seed());
        terminal.out().flush();
        if (directory != null) {
            return run(plan, directory, terminal);
        }
        try (var folder = TemporaryFolder.create("millrace-chaos-")) {
            int code;
            try {
                code = run(plan, folder.path(), terminal);
            } catch (RuntimeException e) {
                folder.keep();
                throw e;
            }
            if (code != ExitCode.OK.value) {
                folder.keep();
            }
            return code;
        }
    }

    private int run(ChaosPlan plan, Path folder, Terminal terminal) throws IOException, InterruptedException {
        ChaosReport done;
        try (var progress = new ProgressLine(terminal)) {
            done = ChaosRun.run(plan, folder, text -> progress.update("bench chaos: " + text));
        } catch (RuntimeException e) {
            terminal.err().println("logs: " + folder);
            throw e;
        }
        print(terminal, done);
        if (report != null) {
            Files.writeString(report, ChaosJson.of(done).toPrettyString() + "\n", StandardCharsets.UTF_8);
        }
        if (!done.isClean()) {
            terminal.out().println("logs: " + folder);
        }
        return (done.isClean() ? ExitCode.OK : ExitCode.INTERNAL).value;
    }

    private ChaosPlan plan() throws IOException {
        Path file = session.model(model.model).file();
        try {
            return new ChaosPlan(
                    Duration.ofMillis((long) (minutes * 60_000)),
                    seed == null ? new java.security.SecureRandom().nextInt(1_000_000) : seed,
                    workers,
                    rate,
                    Duration.ofMillis((long) (gapSeconds * 1000)),
                    faults.isEmpty()
                            ? List.of(FaultKind.values())
                            : faults.stream().map(FaultKind::of).toList(),
                    BenchWorker.with(file));
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    private static void print(Terminal terminal, ChaosReport report) {
        PrintStream out = terminal.out();
        Table table = new Table()
                .column("FAULT")
                .column("COUNT", Table.Align.RIGHT)
                .column("RECOVERED", Table.Align.RIGHT)
                .column("P50", Table.Align.RIGHT)
                .column("MAX", Table.Align.RIGHT);
        for (ChaosReport.Line line : report.lines()) {
            boolean any = !line.recoveries().isEmpty();
            table.row(
                    line.kind(),
                    line.count(),
                    line.recoveries().size(),
                    any ? seconds(line.p50()) : "-",
                    any ? seconds(line.max()) : "-");
        }
        table.print(out, terminal.outColumns().orElse(PIPED_COLUMNS));
        ChaosReport.Totals totals = report.totals();
        out.printf(
                Locale.ROOT,
                "%nprompts %d  answered %d  failed by their own fault %d  lost %d  doubled %d  wrongly failed %d%n",
                totals.prompts(),
                totals.answered(),
                totals.failed() - totals.wronglyFailed().size(),
                totals.lost().size(),
                totals.doubled().size(),
                totals.wronglyFailed().size());
        out.printf(
                Locale.ROOT,
                "tokens in answers %d, generated %d, saved by adoption %d of %d requests%n",
                totals.answerTokens(),
                totals.generatedTokens(),
                totals.adoptedTokens(),
                totals.adoptedRuns());
        out.printf(
                Locale.ROOT,
                "workers started %d, of them after ending unasked %d; drained in %s%n",
                report.workersStarted(),
                report.unaskedExits().size(),
                seconds(report.drain()));
        report.violations().forEach(violation -> out.println("WRONG: " + violation));
        if (report.isClean()) {
            out.println("exactly once: every prompt has one ending, every transaction is finished, nothing is pending");
        }
    }

    private static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
    }
}
