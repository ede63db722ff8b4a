package io.millrace.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * SIGTERM and Ctrl-C: runs an action, then holds the JVM until the command has ended by itself.
 *
 * <p>Threads: the command's thread opens and closes it; the JVM's hook thread runs the action.
 */
final class Shutdown implements AutoCloseable {

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    private Shutdown(Runnable action, long longestSeconds) {
        hook = new Thread(
                () -> {
                    // in a thread of its own: what hangs in there must not keep the JVM from going down
                    Thread.ofPlatform().daemon().name("millrace-closer").start(action);
                    try {
                        if (!ended.await(longestSeconds, TimeUnit.SECONDS)) {
                            System.err.println(
                                    "millrace: not ended after " + longestSeconds + " s, stopping all the same");
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "millrace-shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** @param longestSeconds after which the JVM does not wait any more */
    static Shutdown onSignal(Runnable action, long longestSeconds) {
        return new Shutdown(action, longestSeconds);
    }

    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the JVM is going down: the hook has run, or waits for what was just counted down
        }
    }
}
