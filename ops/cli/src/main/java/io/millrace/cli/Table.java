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

    /** Whether the headings are printed. */
    enum Head {
        SHOWN,
        HIDDEN
    }

    private final List<String> headings = new ArrayList<>();
    private final List<Align> alignments = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();
    private final List<Integer> natural = new ArrayList<>(); // widest cell seen, by column

    Table column(String heading, Align align) {
        headings.add(heading);
        alignments.add(align);
        natural.add(TextWidth.of(heading));
        return this;
    }

    Table column(String heading) {
        return column(heading, Align.LEFT);
    }

    void row(Object... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException("cells=" + cells.length + ", expected=" + headings.size());
        }
        List<String> row =
                Arrays.stream(cells).map(cell -> oneLine(String.valueOf(cell))).toList();
        for (int i = 0; i < cells.length; i++) {
            natural.set(i, Math.max(natural.get(i), TextWidth.of(row.get(i))));
        }
        rows.add(row);
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    int size() {
        return rows.size();
    }

    /** Forgets the rows but not how wide they were, so that rows printed later line up with them. */
    void clear() {
        rows.clear();
    }

    void print(PrintStream out, int columns) {
        print(out, columns, Head.SHOWN);
    }

    void print(PrintStream out, int columns, Head head) {
        int[] widths = widths(columns);
        if (head == Head.SHOWN) {
            print(out, headings, widths);
        }
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
        int[] widths = natural.stream().mapToInt(Integer::intValue).toArray();
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
