package io.millrace.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text under headings, no wider than the terminal: the widest columns are cut, with an ellipsis. */
final class Table {

    private static final String GAP = "  ";

    /** No column becomes narrower than this. */
    private static final int MIN_COLUMN_WIDTH = 4;

    /** How a column is set. */
    enum Align {
        LEFT,
        RIGHT
    }

    private final List<String> headings = new ArrayList<>();
    private final List<Align> alignments = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    Table column(String heading, Align align) {
        headings.add(heading);
        alignments.add(align);
        return this;
    }

    Table column(String heading) {
        return column(heading, Align.LEFT);
    }

    void row(Object... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException("cells=" + cells.length + ", expected=" + headings.size());
        }
        rows.add(Arrays.stream(cells).map(cell -> oneLine(String.valueOf(cell))).toList());
    }

    void print(PrintStream out, int columns) {
        int[] widths = widths(columns);
        print(out, headings, widths);
        for (List<String> row : rows) {
            print(out, row, widths);
        }
    }

    private void print(PrintStream out, List<String> cells, int[] widths) {
        var line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = TextWidth.truncate(cells.get(i), widths[i]);
            String padding = " ".repeat(widths[i] - TextWidth.of(cell));
            line.append(i == 0 ? "" : GAP).append(alignments.get(i) == Align.LEFT ? cell + padding : padding + cell);
        }
        out.println(line.toString().stripTrailing());
    }

    /** Natural widths, then one column off the widest until all fit. */
    private int[] widths(int columns) {
        int[] widths = headings.stream().mapToInt(TextWidth::of).toArray();
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], TextWidth.of(row.get(i)));
            }
        }
        int room = columns - GAP.length() * (widths.length - 1);
        while (Arrays.stream(widths).sum() > room) {
            int widest = 0;
            for (int i = 1; i < widths.length; i++) {
                widest = widths[i] > widths[widest] ? i : widest;
            }
            if (widths[widest] <= MIN_COLUMN_WIDTH) {
                break;
            }
            widths[widest]--;
        }
        return widths;
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ⏎ ").replaceAll("\\p{Cntrl}", "");
    }
}
