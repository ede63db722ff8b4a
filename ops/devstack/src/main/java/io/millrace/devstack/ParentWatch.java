package io.millrace.devstack;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Ends this JVM when the one that started it is gone, however it ended: the pipe to standard input then ends. */
public final class ParentWatch {

    /** As after SIGKILL. */
    private static final int EXIT_CODE = 137;

    private ParentWatch() {}

    /**
     * Watches from a daemon thread.
     *
     * @param lines hears what the parent writes
     */
    public static void start(Consumer<String> lines) {
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> watch(lines));
    }

    private static void watch(Consumer<String> lines) {
        try {
            var parent = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = parent.readLine(); line != null; line = parent.readLine()) {
                lines.accept(line);
            }
        } catch (IOException e) {
            // gone just the same
        }
        Runtime.getRuntime().halt(EXIT_CODE);
    }
}
