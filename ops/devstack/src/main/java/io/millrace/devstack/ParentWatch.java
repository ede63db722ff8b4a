package io.millrace.devstack;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * What a {@link ChildJvm} runs: another main class, and a thread that ends this JVM when the one that started it is gone, however
 * it ended: the pipe to standard input then ends.
 */
public final class ParentWatch {

    /** As after SIGKILL. */
    private static final int EXIT_CODE = 137;

    private static final CompletableFuture<Consumer<String>> LISTENER = new CompletableFuture<>();

    private ParentWatch() {}

    /** Arguments: the main class, and its own. */
    public static void main(String[] args) throws ReflectiveOperationException {
        Thread.ofPlatform().daemon().name("parent-watch").start(ParentWatch::watch);
        Method main = Class.forName(args[0]).getDeclaredMethod("main", String[].class);
        main.setAccessible(true); // its class need not be public, as with the java command
        main.invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    }

    /** From now on hears what the parent writes, and what it has written; once. */
    public static void onLine(Consumer<String> listener) {
        LISTENER.complete(listener);
    }

    private static void watch() {
        try {
            var parent = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = parent.readLine(); line != null; line = parent.readLine()) {
                String said = line;
                var _ = LISTENER.thenAccept(listener -> listener.accept(said));
            }
        } catch (IOException e) {
            // gone just the same
        }
        Runtime.getRuntime().halt(EXIT_CODE);
    }
}
