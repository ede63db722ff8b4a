package io.millrace.modelstore;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The end of what a program printed, short enough for an error message. */
final class OutputTail {
    private static final int MAX_BYTES = 8 << 10;
    private static final int MAX_LINES = 12;

    private OutputTail() {}

    static String of(Path file) throws IOException {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(Math.max(0, in.length() - MAX_BYTES));
            byte[] bytes = new byte[MAX_BYTES];
            int n = Math.max(0, in.read(bytes));
            List<String> lines =
                    new String(bytes, 0, n, StandardCharsets.UTF_8).lines().toList();
            return String.join("\n", lines.subList(Math.max(0, lines.size() - MAX_LINES), lines.size()));
        }
    }
}
