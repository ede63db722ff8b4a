package io.millrace.bench.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** What Linux tells of a process in /proc. */
record ProcFiles(double rssMib, int threads, int openFiles) {

    /** Whether this system has them. */
    static boolean exist() {
        return Files.exists(Path.of("/proc/self/status"));
    }

    /** As they are now; empty if the process is gone. */
    static Optional<ProcFiles> of(long pid) {
        Path folder = Path.of("/proc", Long.toString(pid));
        try (Stream<Path> files = Files.list(folder.resolve("fd"))) {
            long rssKib = 0;
            int threads = 0;
            for (String line : Files.readAllLines(folder.resolve("status"))) {
                if (line.startsWith("VmRSS:")) {
                    rssKib = number(line);
                } else if (line.startsWith("Threads:")) {
                    threads = (int) number(line);
                }
            }
            return Optional.of(new ProcFiles(rssKib / 1024.0, threads, (int) files.count()));
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    private static long number(String line) {
        return Long.parseLong(line.replaceAll("\\D+", ""));
    }
}
