package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What {@code doctor} found, in the order in which it looked. */
final class Checkup {

    /** How bad it is, the worst last. */
    enum Severity {
        OK,
        /** Good to know. */
        NOTE,
        /** It works, but something can be lost, late or slow. */
        WARNING,
        /** It does not work. */
        ERROR
    }

    /** What was looked at, and how a command ends that cannot do without it. */
    enum Area {
        MACHINE("this machine", ExitCode.USAGE),
        KAFKA("Kafka", ExitCode.KAFKA),
        REGISTRY("schema registry", ExitCode.KAFKA),
        MODELS("models", ExitCode.MODEL);

        private final String heading;
        private final ExitCode broken;

        Area(String heading, ExitCode broken) {
            this.heading = heading;
            this.broken = broken;
        }
    }

    private record Entry(Area area, Severity severity, String what, Optional<String> remedy) {}

    private final List<Entry> entries = new ArrayList<>();

    void ok(Area area, String what) {
        entries.add(new Entry(area, Severity.OK, what, Optional.empty()));
    }

    void note(Area area, String what) {
        entries.add(new Entry(area, Severity.NOTE, what, Optional.empty()));
    }

    void found(Area area, Severity severity, String what, String remedy) {
        entries.add(new Entry(area, severity, what, Optional.of(remedy)));
    }

    /** By the worst finding, of several the one that was met first. */
    ExitCode exitCode() {
        Severity worst = entries.stream()
                .map(Entry::severity)
                .max(Comparator.naturalOrder())
                .orElse(Severity.OK);
        return switch (worst) {
            case OK, NOTE -> ExitCode.OK;
            case WARNING -> ExitCode.WARNING;
            case ERROR ->
                entries.stream()
                        .filter(entry -> entry.severity() == Severity.ERROR)
                        .findFirst()
                        .map(entry -> entry.area().broken)
                        .orElseThrow();
        };
    }

    void print(PrintStream out) {
        for (Area area : Area.values()) {
            List<Entry> found =
                    entries.stream().filter(entry -> entry.area() == area).toList();
            if (found.isEmpty()) {
                continue;
            }
            out.println(area.heading);
            for (Entry entry : found) {
                out.printf("  %-7s  %s%n", name(entry.severity()), entry.what());
                entry.remedy().ifPresent(remedy -> out.println("           Remedy: " + remedy));
            }
        }
        out.println();
        out.println(count(Severity.ERROR) + ", " + count(Severity.WARNING));
    }

    void printJson(PrintStream out) {
        ArrayNode findings = Json.array();
        for (Entry entry : entries) {
            var node = findings.addObject()
                    .put("area", name(entry.area()))
                    .put("severity", name(entry.severity()))
                    .put("what", entry.what());
            entry.remedy().ifPresent(remedy -> node.put("remedy", remedy));
        }
        Json.print(out, Json.object().put("exit_code", exitCode().value).set("findings", findings));
    }

    private String count(Severity severity) {
        long count =
                entries.stream().filter(entry -> entry.severity() == severity).count();
        return count + " " + name(severity) + (count == 1 ? "" : "s");
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
