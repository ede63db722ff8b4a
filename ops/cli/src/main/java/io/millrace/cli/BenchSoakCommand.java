package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.Plot;
import io.millrace.bench.chaos.SoakPlan;
import io.millrace.bench.chaos.SoakReport;
import io.millrace.bench.chaos.SoakReport.Series;
import io.millrace.bench.chaos.SoakRun;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench soak}. */
@Command(
        name = "soak",
        description = {
            "Lets one or two workers answer prompts for hours, and tells what grows.",
            "",
            "Starts a broker and worker processes with a real model, on this machine; samples the workers' memory, threads, open files and"
                    + " pending prompts, the last stable offset's lag, the changelog's size, and the rate of endings; at the end asks the"
                    + " exactly-once oracle. All processes end with this one. Needs Linux.",
            "",
            "A series is flat if the 95%% interval of its slope (Theil-Sen, Kendall) holds zero, or if it changes by less than 2%% over the"
                    + " run; the first fifth, while programs warm up, does not count."
        },
        footer = {
            "",
            "Writes soak.csv, soak.json and soak.png to --out. Exit code 1 if a prompt was lost, doubled or wrongly failed.",
            "",
            "Examples:",
            "  millrace bench soak --minutes 10",
            "  millrace bench soak --hours 8 --workers 2 --every 60 --out soak-night"
        })
final class BenchSoakCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 120;

    /** Quantities that share a panel of the plot. */
    private static final Map<String, String> PANELS = Map.of(
            "RSS MiB", "memory, MiB",
            "heap MiB", "memory, MiB",
            "threads", "threads and open files",
            "open files", "threads and open files",
            "pending", "prompts that wait",
            "prompts not ended", "prompts that wait",
            "changelog live entries", "prompts that wait");

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @Option(names = "--hours", paramLabel = "H", description = "How long, in hours, on top of --minutes.")
    double hours;

    @Option(names = "--minutes", paramLabel = "M", description = "How long, in minutes (default: 10 if no --hours).")
    double minutes;

    @Option(
            names = "--every",
            paramLabel = "SECONDS",
            defaultValue = "5",
            description = "Time between two samples (default: ${DEFAULT-VALUE}).")
    double everySeconds = 5;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "1",
            description = "Worker processes, 1 or 2 (default: ${DEFAULT-VALUE}).")
    int workers = 1;

    @Option(
            names = "--rate",
            paramLabel = "R",
            defaultValue = "2",
            description =
                    "Prompts a second; more than the workers can answer makes what waits grow (default: ${DEFAULT-VALUE}).")
    double rate = 2;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seed of the prompts (default: ${DEFAULT-VALUE}).")
    long seed = 1;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "soak",
            description = "Where the figures go (default: ./${DEFAULT-VALUE}).")
    Path out = Path.of("soak");

    BenchSoakCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        SoakPlan plan = plan();
        try (var folder = TemporaryFolder.create("millrace-soak-")) {
            SoakReport report = run(plan, folder);
            write(report);
            print(report);
            if (!report.violations().isEmpty()) {
                folder.keep();
                session.terminal().out().println("logs: " + folder.path());
                return ExitCode.INTERNAL.value;
            }
            return ExitCode.OK.value;
        }
    }

    private SoakReport run(SoakPlan plan, TemporaryFolder folder) throws IOException, InterruptedException {
        try (var progress = new ProgressLine(session.terminal())) {
            return SoakRun.run(plan, folder.path(), text -> progress.update("bench soak: " + text));
        } catch (RuntimeException e) {
            folder.keep();
            session.terminal().err().println("logs: " + folder.path());
            throw e;
        }
    }

    private SoakPlan plan() throws IOException {
        double allMinutes = hours == 0 && minutes == 0 ? 10 : hours * 60 + minutes;
        Path file = session.model(model.model).file();
        try {
            return new SoakPlan(
                    Duration.ofMillis((long) (allMinutes * 60_000)),
                    Duration.ofMillis((long) (everySeconds * 1_000)),
                    seed,
                    workers,
                    rate,
                    BenchWorker.with(file));
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    private void write(SoakReport report) throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("soak.csv"), report.csv(), StandardCharsets.UTF_8);
        Files.writeString(out.resolve("soak.json"), json(report).toPrettyString() + "\n", StandardCharsets.UTF_8);
        Plot.write(out.resolve("soak.png"), panels(report));
    }

    private void print(SoakReport report) {
        PrintStream to = session.terminal().out();
        Table table = new Table()
                .column("OF")
                .column("WHAT")
                .column("FIRST", Table.Align.RIGHT)
                .column("TYPICAL", Table.Align.RIGHT)
                .column("MOST", Table.Align.RIGHT)
                .column("LAST", Table.Align.RIGHT)
                .column("TREND");
        for (Series series : report.series()) {
            double[] values = series.values();
            table.row(
                    series.subject(),
                    series.name(),
                    number(values[0]),
                    number(series.trend().typical()),
                    number(Arrays.stream(values).max().orElseThrow()),
                    number(values[values.length - 1]),
                    series.verdict());
        }
        table.print(to, session.terminal().outColumns().orElse(PIPED_COLUMNS));
        to.printf(
                Locale.ROOT,
                "%n%d prompts in %.1f min; figures in %s%n",
                report.prompts(),
                report.plan().time().toMillis() / 60_000.0,
                out);
        report.violations().forEach(violation -> to.println("WRONG: " + violation));
        if (report.violations().isEmpty()) {
            to.println("exactly once: every prompt has one ending, every transaction is finished, nothing is pending");
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.2f" : "%.0f", value);
    }

    /** A panel for quantities of about the same size, with a line for each of them and each worker. */
    private static List<Plot.Panel> panels(SoakReport report) {
        double[] x = Arrays.stream(report.hours()).map(hour -> hour * 60).toArray();
        Map<String, List<Plot.Line>> byTitle = new LinkedHashMap<>();
        for (Series series : report.series()) {
            String title = PANELS.getOrDefault(series.name(), series.name());
            String subject = series.subject().equals("kafka") ? "" : series.subject() + " ";
            byTitle.computeIfAbsent(title, name -> new ArrayList<>())
                    .add(new Plot.Line(subject + series.name(), x, series.values()));
        }
        return byTitle.entrySet().stream()
                .<Plot.Panel>map(each -> new Plot.Lines(each.getKey(), "minutes", each.getKey(), each.getValue()))
                .toList();
    }

    private static ObjectNode json(SoakReport report) {
        ObjectNode json = Json.object()
                .put("minutes", report.plan().time().toMillis() / 60_000.0)
                .put("workers", report.plan().workers())
                .put("prompts_per_second", report.plan().rate())
                .put("seed", report.plan().seed())
                .put("prompts", report.prompts())
                .put("settled_from_sample", report.settledFrom())
                .put("processors", Runtime.getRuntime().availableProcessors())
                .put("java", Runtime.version().toString());
        json.set("violations", Json.tree(report.violations()));
        json.set("hours", Json.tree(report.hours()));
        ArrayNode all = json.putArray("series");
        for (Series series : report.series()) {
            ObjectNode one = all.addObject()
                    .put("of", series.subject())
                    .put("what", series.name())
                    .put("verdict", series.verdict())
                    .put("slope_per_hour", series.trend().perHour())
                    .put("slope_low", series.trend().low())
                    .put("slope_high", series.trend().high())
                    .put("typical", series.trend().typical());
            one.set("values", Json.tree(series.values()));
        }
        return json;
    }
}
