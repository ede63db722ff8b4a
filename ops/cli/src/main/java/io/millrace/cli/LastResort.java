package io.millrace.cli;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Halts the JVM where closing takes too long: an engine that hangs in native code lets nobody close it, and the supervisor
 * waits for the process to end.
 *
 * <p>Threads: a daemon of its own, once it is armed; {@link #close} disarms it.
 */
final class LastResort implements AutoCloseable {

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "millrace-last-resort");
        thread.setDaemon(true);
        return thread;
    });

    /** Ends the process with this code, unless {@link #close} comes first. */
    void arm(ExitCode code, long seconds) {
        var _ = timer.schedule(
                () -> {
                    System.err.println("millrace: not closed within " + seconds + " s, halting all the same");
                    Runtime.getRuntime().halt(code.value);
                },
                seconds,
                TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
