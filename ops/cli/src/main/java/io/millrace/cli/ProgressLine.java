package io.millrace.cli;

import java.io.PrintStream;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * One line on a terminal that is written over and over; says nothing where there is no terminal.
 *
 * <p>Threads: any; its lock guards it.
 */
final class ProgressLine implements AutoCloseable {

    private static final long REDRAW_NANOS = 100_000_000;

    private final PrintStream err;
    private final OptionalInt columns;
    private final LongSupplier nanoTime;
    private long drawnNanos;
    private boolean shown;

    ProgressLine(Terminal terminal) {
        this(terminal.err(), terminal.errColumns(), System::nanoTime);
    }

    ProgressLine(PrintStream err, OptionalInt columns, LongSupplier nanoTime) {
        this.err = err;
        this.columns = columns;
        this.nanoTime = nanoTime;
        this.drawnNanos = nanoTime.getAsLong() - REDRAW_NANOS;
    }

    /** Shows this text unless another was shown a moment ago. */
    synchronized void update(String text) {
        long now = nanoTime.getAsLong();
        if (columns.isEmpty() || now - drawnNanos < REDRAW_NANOS) {
            return;
        }
        drawnNanos = now;
        shown = true;
        err.print("\r\u001B[K" + TextWidth.truncate(text, columns.getAsInt() - 1));
        err.flush();
    }

    @Override
    public void close() {
        clear();
    }

    /** Takes the line away. */
    synchronized void clear() {
        if (shown) {
            err.print("\r\u001B[K");
            err.flush();
            shown = false;
        }
    }
}
