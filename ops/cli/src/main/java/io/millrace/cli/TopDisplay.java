package io.millrace.cli;

import io.millrace.cli.top.FleetView;
import java.io.PrintStream;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Where {@link FleetView}s are shown, one after another. */
interface TopDisplay extends AutoCloseable {

    /**
     * Shows how it is now.
     *
     * @param unreadable records so far that could not be read
     */
    void show(FleetView view, long unreadable);

    @Override
    default void close() {}

    /** A line of JSON for each. */
    static TopDisplay json(PrintStream out) {
        return (view, unreadable) -> {
            Json.print(out, TopTable.json(view).put("unreadable_records", unreadable));
            out.flush();
        };
    }

    /** A screen of text. */
    static TopDisplay screenOnce(PrintStream out, ZoneId zone, int columns) {
        return (view, unreadable) -> {
            lines(view, unreadable, zone, columns).forEach(line -> out.println(line.stripTrailing()));
            out.flush();
        };
    }

    /** Rows for each, under headings that come once. */
    static TopDisplay lines(PrintStream out, ZoneId zone, int columns) {
        Table table = TopTable.lines();
        var headed = new java.util.concurrent.atomic.AtomicBoolean();
        return (view, _) -> {
            TopTable.addRows(table, view, zone);
            if (!table.isEmpty()) {
                table.print(out, columns, headed.getAndSet(true) ? Table.Head.HIDDEN : Table.Head.SHOWN);
                table.clear();
            }
            out.flush();
        };
    }

    /** In place, on the terminal's other screen: what was there before is back when it ends. */
    static TopDisplay live(PrintStream out, ZoneId zone, Supplier<ScreenSize> size) {
        return new Live(out, zone, size);
    }

    private static List<String> lines(FleetView view, long unreadable, ZoneId zone, int columns) {
        List<String> lines = new ArrayList<>(TopTable.screen(view, zone, columns));
        if (unreadable > 0) {
            lines.add(TextWidth.truncate("Records that cannot be read: " + unreadable, columns));
        }
        return lines;
    }

    /** Redraws without clearing first, which would flicker. */
    final class Live implements TopDisplay {

        private static final String OTHER_SCREEN = "\u001B[?1049h\u001B[?25l";
        private static final String FIRST_SCREEN = "\u001B[?25h\u001B[?1049l";
        private static final String HOME = "\u001B[H";
        private static final String REST_OF_LINE = "\u001B[K";
        private static final String REST_OF_SCREEN = "\u001B[J";

        private final PrintStream out;
        private final ZoneId zone;
        private final Supplier<ScreenSize> size;

        private Live(PrintStream out, ZoneId zone, Supplier<ScreenSize> size) {
            this.out = out;
            this.zone = zone;
            this.size = size;
            out.print(OTHER_SCREEN);
        }

        @Override
        public void show(FleetView view, long unreadable) {
            ScreenSize now = size.get();
            List<String> lines = lines(view, unreadable, zone, now.columns());
            var frame = new StringBuilder(HOME);
            for (int i = 0; i < Math.min(lines.size(), now.rows()); i++) {
                // no line break after the last one: it would scroll
                frame.append(i == 0 ? "" : "\r\n")
                        .append(lines.get(i).stripTrailing())
                        .append(REST_OF_LINE);
            }
            out.print(frame.append(REST_OF_SCREEN));
            out.flush();
        }

        @Override
        public void close() {
            out.print(FIRST_SCREEN);
            out.flush();
        }
    }
}
