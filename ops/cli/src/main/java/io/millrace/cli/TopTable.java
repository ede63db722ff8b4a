package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.cli.top.FleetView;
import io.millrace.cli.top.FleetView.Engine;
import io.millrace.cli.top.FleetView.Flow;
import io.millrace.cli.top.FleetView.LastReport;
import io.millrace.cli.top.FleetView.Latency;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A {@link FleetView} as text and as JSON. */
final class TopTable {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
    private static final String NONE = "-";
    private static final double MILLIS_PER_SECOND = 1e3;

    /** Screens of fewer columns show what matters most. */
    private static final int NARROW = 100;

    private static final int MIDDLE = 124;

    /** One column, on screens that are wide enough for it. */
    private record Column(String heading, Table.Align align, int fromColumns, Function<Engine, String> cell) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("INSTANCE", Table.Align.LEFT, 0, Engine::instance),
            new Column("MODEL", Table.Align.LEFT, 0, Engine::model),
            number("PROMPTS/S", 0, engine -> decimal(engine.flow().prompts())),
            number("IN TOK/S", MIDDLE, engine -> decimal(engine.flow().promptTokens())),
            number("TOK/S", 0, engine -> decimal(engine.flow().generationTokens())),
            number("BATCH", 0, engine -> decimal(engine.batchSizeMean())),
            number("BUSY", NARROW, engine -> percent(engine.busyFraction())),
            number("KV", MIDDLE, engine -> last(engine, report -> percent(report.kvCacheUsage()))),
            number("RUN", NARROW, engine -> last(engine, report -> Integer.toString(report.running()))),
            number("WAIT", MIDDLE, engine -> last(engine, report -> Integer.toString(report.waiting()))),
            number("PENDING", 0, engine -> last(engine, report -> Integer.toString(report.pending()))),
            number("TTFT P50/P99", NARROW, engine -> pair(engine.flow().timeToFirstToken())),
            number("E2E P50/P99", 0, engine -> pair(engine.flow().endToEnd())),
            new Column("GATE", Table.Align.LEFT, 0, engine -> last(engine, TopTable::gate)));

    private TopTable() {}

    private static Column number(String heading, int fromColumns, Function<Engine, String> cell) {
        return new Column(heading, Table.Align.RIGHT, fromColumns, cell);
    }

    /** A screen of text: a summary, a row for each engine, the failures. No line is wider than that. */
    static List<String> screen(FleetView view, ZoneId zone, int columns) {
        List<String> lines = new ArrayList<>();
        lines.add(apart(
                "millrace top: " + count(view.instances(), "instance") + ", last "
                        + view.window().toSeconds() + " s",
                TIME.format(LocalTime.ofInstant(view.at(), zone)),
                columns));
        lines.addAll(summary(view));
        lines.add("");
        if (view.engines().isEmpty()) {
            lines.add("No instance has reported. 'millrace process' starts one.");
        } else {
            lines.addAll(table(view, columns));
        }
        lines.add("");
        lines.add("Failures: " + failures(view));
        return lines.stream().map(line -> TextWidth.truncate(line, columns)).toList();
    }

    private static List<String> summary(FleetView view) {
        Flow flow = view.total().flow();
        return List.of(
                "prompts/s %s   tokens/s in %s, out %s   running %d, waiting %d, pending %d"
                        .formatted(
                                decimal(flow.prompts()),
                                decimal(flow.promptTokens()),
                                decimal(flow.generationTokens()),
                                view.total().running(),
                                view.total().waiting(),
                                view.total().pending()),
                "p50/p99: first token %s, end to end %s"
                        .formatted(pair(flow.timeToFirstToken()), pair(flow.endToEnd())));
    }

    private static List<String> table(FleetView view, int columns) {
        List<Column> shown = shown(columns);
        var table = new Table();
        shown.forEach(column -> table.column(column.heading(), column.align()));
        for (Engine engine : view.engines()) {
            table.row(shown.stream().map(column -> column.cell().apply(engine)).toArray());
        }
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            table.print(out, columns);
        }
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    /** The columns of a table that goes on and on: of {@link #addRows}. */
    static Table lines() {
        var table = new Table().column("TIME");
        COLUMNS.forEach(column -> table.column(column.heading(), column.align()));
        return table.column("FAILURES");
    }

    /** A row for each engine, with the time; the failures are the fleet's. */
    static void addRows(Table table, FleetView view, ZoneId zone) {
        String time = TIME.format(LocalTime.ofInstant(view.at(), zone));
        for (Engine engine : view.engines()) {
            List<String> cells = new ArrayList<>();
            cells.add(time);
            COLUMNS.forEach(column -> cells.add(column.cell().apply(engine)));
            cells.add(failures(view));
            table.row(cells.toArray());
        }
    }

    private static List<Column> shown(int columns) {
        return COLUMNS.stream()
                .filter(column -> column.fromColumns() <= columns)
                .toList();
    }

    /** One JSON object. Latencies are milliseconds, rates for each second. */
    static ObjectNode json(FleetView view) {
        ObjectNode json = Json.object()
                .put("at", view.at().toString())
                .put("window_seconds", view.window().toMillis() / MILLIS_PER_SECOND)
                .put("instances", view.instances())
                .put("requests_running", view.total().running())
                .put("requests_waiting", view.total().waiting())
                .put("requests_pending", view.total().pending());
        put(json, view.total().flow());
        ArrayNode engines = json.putArray("engines");
        view.engines().forEach(engine -> engines.add(json(engine)));
        json.set("failures", Json.tree(view.failures()));
        return json;
    }

    private static ObjectNode json(Engine engine) {
        ObjectNode json = Json.object().put("instance", engine.instance()).put("model", engine.model());
        put(json, engine.flow());
        json.put("batch_size_mean", engine.batchSizeMean()).put("busy_fraction", engine.busyFraction());
        engine.last()
                .ifPresent(report -> json.put("requests_running", report.running())
                        .put("requests_waiting", report.waiting())
                        .put("requests_pending", report.pending())
                        .put("kv_cache_usage_perc", report.kvCacheUsage())
                        .put("report_age_seconds", report.age().toMillis() / MILLIS_PER_SECOND)
                        .set("gate_closures", Json.tree(report.gateClosures())));
        return json;
    }

    private static void put(ObjectNode json, Flow flow) {
        json.put("prompts_per_second", flow.prompts())
                .put("prompt_tokens_per_second", flow.promptTokens())
                .put("generation_tokens_per_second", flow.generationTokens());
        put(json, "time_to_first_token", flow.timeToFirstToken());
        put(json, "e2e_latency", flow.endToEnd());
    }

    private static void put(ObjectNode json, String name, Optional<Latency> latency) {
        latency.ifPresent(known -> json.put(name + "_p50_ms", known.p50Ms()).put(name + "_p99_ms", known.p99Ms()));
    }

    private static String gate(LastReport report) {
        if (report.isSilent()) {
            return "silent for " + report.age().toSeconds() + " s";
        }
        return report.gateClosures().isEmpty() ? "open" : String.join(", ", report.gateClosures());
    }

    private static String failures(FleetView view) {
        return view.failures().isEmpty()
                ? "none"
                : view.failures().entrySet().stream()
                        .map(code -> code.getKey() + " " + code.getValue())
                        .collect(Collectors.joining(", "));
    }

    private static String last(Engine engine, Function<LastReport, String> cell) {
        return engine.last().map(cell).orElse(NONE);
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, value < 100 ? "%.1f" : "%.0f", value);
    }

    private static String percent(double fraction) {
        return Math.round(fraction * 100) + "%";
    }

    private static String pair(Optional<Latency> latency) {
        return latency.map(known -> time(known.p50Ms()) + "/" + time(known.p99Ms()))
                .orElse(NONE);
    }

    private static String time(double ms) {
        if (ms < 999.5) {
            return Math.round(ms) + "ms";
        }
        double seconds = ms / MILLIS_PER_SECOND;
        return String.format(Locale.ROOT, seconds < 100 ? "%.1fs" : "%.0fs", seconds);
    }

    private static String count(int count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    private static String apart(String left, String right, int columns) {
        int gap = columns - TextWidth.of(left) - TextWidth.of(right);
        return gap < 2 ? left : left + " ".repeat(gap) + right;
    }
}
