package io.millrace.cli;

import io.millrace.bench.pipeline.ReportFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of a benchmark that measures in rounds and makes a report, and its course. */
final class ReportOptions {

    @Option(names = "--rounds", paramLabel = "N", description = "Counted rounds, instead of the usual number.")
    @Nullable
    Integer rounds;

    @Option(names = "--quick", description = "A tiny workload: shows that it works, and measures nothing.")
    boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Also write the report into this directory, as JSON, Markdown and PNG.")
    @Nullable
    Path out;

    @Option(names = "--json", description = "Print one JSON object instead of tables.")
    boolean json;

    /** What is measured, in an empty folder. */
    @FunctionalInterface
    interface Bench {
        ReportFiles run(Path folder, Consumer<String> progress) throws IOException, InterruptedException;
    }

    /** A plan whose own checks are those of the command line. */
    static <P> P checked(Supplier<P> plan) {
        try {
            return plan.get();
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    int rounds(int usual) {
        return rounds == null ? usual : rounds;
    }

    /** Measures, and shows what came out. */
    int report(Session session, String name, Bench bench) throws IOException, InterruptedException {
        ReportFiles report;
        try (var folder = TemporaryFolder.create("millrace-bench-");
                var progress = new ProgressLine(session.terminal())) {
            report = bench.run(folder.path(), text -> progress.update("bench " + name + ": " + text));
        }
        if (out != null) {
            report.write(out);
        }
        session.terminal().out().print(json ? report.json() + System.lineSeparator() : report.markdown());
        return ExitCode.OK.value;
    }
}
