package io.millrace.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * Where a command reads and writes.
 *
 * @param out data, UTF-8, buffered: a command flushes it
 * @param err logs, progress and errors, UTF-8
 * @param outColumns width of the terminal that shows {@code out}; empty when it is piped
 * @param errColumns width of the terminal that shows {@code err}; empty when it is piped
 */
record Terminal(InputStream in, PrintStream out, PrintStream err, OptionalInt outColumns, OptionalInt errColumns) {

    private static final int OUT_BUFFER_BYTES = 1 << 16;

    /** The process's own; the launcher knows which of them are terminals, and says so in properties. */
    static Terminal system() {
        var out = new PrintStream(
                new java.io.BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUT_BUFFER_BYTES),
                false,
                StandardCharsets.UTF_8);
        var err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        return new Terminal(
                System.in, out, err, columns("millrace.stdout.columns"), columns("millrace.stderr.columns"));
    }

    private static OptionalInt columns(String property) {
        Integer columns = Integer.getInteger(property);
        return columns == null || columns < 20 ? OptionalInt.empty() : OptionalInt.of(columns);
    }
}
