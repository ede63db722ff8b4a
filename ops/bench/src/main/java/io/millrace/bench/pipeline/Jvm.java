package io.millrace.bench.pipeline;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A JVM beside this one, with this one's class path, whose CPU time is told from ours. */
final class Jvm implements AutoCloseable {

    private static final double NANOS_PER_SECOND = 1e9;
    private static final long STOP_SECONDS = 30;
    private static final long LOOK_MS = 50;

    private final Process process;
    private final Path log;

    private Jvm(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /**
     * Starts it.
     *
     * @param options of the JVM
     * @param log where its output goes
     */
    static Jvm start(List<String> options, String mainClass, List<String> arguments, Path log) {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        try {
            return new Jvm(
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start(),
                    log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Waits until it says that it is ready.
     *
     * @throws IllegalStateException it ended, or was not ready in time
     */
    void awaitReady(BooleanSupplier ready, Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (!ready.getAsBoolean()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException(
                        "process " + process.pid() + " is not ready within " + patience + ": see " + log);
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    /** CPU time that it has used so far. */
    double cpuSeconds() {
        return process.toHandle()
                .info()
                .totalCpuDuration()
                .map(cpu -> cpu.toNanos() / NANOS_PER_SECOND)
                .orElse(Double.NaN);
    }

    /** SIGTERM, and waits for the end. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
