package io.millrace.matrix;

import io.millrace.architecture.Checkout;
import io.millrace.devstack.Fault;
import io.millrace.matrix.Runs.Outcome;
import io.millrace.matrix.Runs.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The failure matrix as a table: each row, what must happen, the tests that prove it and how they went. {@code ./millrace matrix} runs
 * those tests and then this.
 */
final class MatrixReport {
    private final Map<Fault, List<RowTest>> tests = new EnumMap<>(Fault.class);
    private final Runs runs;

    MatrixReport(Collection<RowTest> all, Runs runs) {
        this.runs = runs;
        for (Fault fault : Fault.values()) {
            tests.put(
                    fault,
                    all.stream().filter(test -> test.row().equals(fault.row())).toList());
        }
    }

    /** Writes {@code ops/bench/results/DATE-failure-matrix.md}; the exit code is 1 unless every row is proven. */
    public static void main(String[] args) throws IOException {
        Checkout checkout = Checkout.find();
        MatrixReport report = new MatrixReport(RowTests.in(checkout), Runs.of(checkout));
        String date = LocalDate.now(ZoneId.systemDefault()).toString();
        Path file = checkout.root().resolve("ops/bench/results/" + date + "-failure-matrix.md");
        Files.writeString(file, report.document(date));
        System.out.println(report.table());
        System.out.println("written to " + file);
        report.unproven().forEach(System.out::println);
        System.exit(report.unproven().isEmpty() ? 0 : 1);
    }

    /** A line for each row that no test proves, or that a test disproves. */
    List<String> unproven() {
        List<String> unproven = new ArrayList<>();
        tests.forEach((fault, list) -> {
            if (list.isEmpty()) {
                unproven.add("row=" + fault.row() + ", tests=0, expected=at least 1");
            }
            for (RowTest test : list) {
                Outcome outcome = runs.of(test).outcome();
                if (outcome != Outcome.PASSED) {
                    unproven.add("row=" + fault.row() + ", test=" + test + ", outcome=" + outcome.label()
                            + ", expected=passed");
                }
            }
        });
        return unproven;
    }

    String document(String date) {
        long count = tests.values().stream().mapToLong(List::size).sum();
        double seconds = tests.values().stream()
                .flatMap(List::stream)
                .distinct()
                .mapToDouble(test -> runs.of(test).seconds())
                .sum();
        return """
            # Failure matrix, %s

            `./millrace matrix` on %d cores (%s %s), JDK %s, Kafka in process and in processes of its own on the same machine: %d tests of %d \
            rows, %s s in all, %s.

            Each test ends with the one oracle: every prompt below the committed offsets has exactly one record in results, failures or
            dead-letters for a `read_committed` reader, the pending store is empty, and nothing fails that is not at fault; rows that are
            proven on injected clocks or inside one component say so in their tests.

            %s\
            """.formatted(
                        date,
                        Runtime.getRuntime().availableProcessors(),
                        System.getProperty("os.name"),
                        System.getProperty("os.arch"),
                        Runtime.version(),
                        count,
                        tests.size(),
                        seconds(seconds),
                        unproven().isEmpty() ? "every row proven" : unproven().size() + " not as expected",
                        table());
    }

    /** In Markdown; a row with several tests takes as many lines. */
    String table() {
        StringBuilder table = new StringBuilder("| fault | must happen | test | outcome | seconds |\n");
        table.append("| --- | --- | --- | --- | ---: |\n");
        tests.forEach((fault, list) -> {
            String first = "| " + fault.row() + " | " + fault.mustHappen();
            if (list.isEmpty()) {
                table.append(first).append(" | none | not run | |\n");
            }
            for (RowTest test : list) {
                Run run = runs.of(test);
                table.append(test.equals(list.getFirst()) ? first : "| | ")
                        .append(" | `" + test + "` | " + run.outcome().label() + " | " + seconds(run.seconds())
                                + " |\n");
            }
        });
        return table.toString();
    }

    /** The table that the README shows: rows and the classes whose tests prove them. */
    String readmeTable() {
        StringBuilder table = new StringBuilder("| fault | what comes of it | proven by |\n| --- | --- | --- |\n");
        tests.forEach((fault, list) -> {
            List<String> classes = list.stream()
                    .map(test -> "`" + test.simpleClassName() + "`")
                    .distinct()
                    .toList();
            table.append("| " + fault.row() + " | " + fault.mustHappen() + " | " + String.join(", ", classes) + " |\n");
        });
        return table.toString();
    }

    private static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.1f", seconds);
    }
}
