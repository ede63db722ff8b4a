package io.millrace.devstack;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A JVM of its own, with this one's class path as a rule, to be killed, stopped and continued. It ends with this JVM, however that
 * ends: {@link ParentWatch} sees to it.
 *
 * <p>Threads: any.
 */
public final class ChildJvm implements AutoCloseable {

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);
    private static final double NANOS_PER_SECOND = 1e9;

    private final String name;
    private final Path log;
    private final Process process;

    private ChildJvm(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    /**
     * How a child is started.
     *
     * @param name what messages call it
     * @param mainClass a class on the class path
     * @param jvmOptions such as {@code -Xmx256m}
     * @param log what it prints is added here
     */
    public record Command(
            String name,
            String mainClass,
            List<String> jvmOptions,
            List<String> arguments,
            Map<String, String> environment,
            Path log) {

        public Command {
            jvmOptions = List.copyOf(jvmOptions);
            arguments = List.copyOf(arguments);
            environment = Map.copyOf(environment);
        }
    }

    /** Starts it with this JVM's class path. */
    public static ChildJvm start(Command command) {
        return start(command, System.getProperty("java.class.path"), List.of());
    }

    /** Starts it with a class path of its own, and leaves Ctrl-C in a common terminal to this JVM: it says what ends when. */
    static ChildJvm startDeaf(Command command, String classPath) {
        return start(command, classPath, List.of("sh", "-c", "trap '' INT; exec \"$@\"", "sh"));
    }

    private static ChildJvm start(Command command, String classPath, List<String> launcher) {
        List<String> line = new ArrayList<>(launcher);
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.addAll(command.jvmOptions());
        line.addAll(List.of("-cp", classPath, ParentWatch.class.getName(), command.mainClass()));
        line.addAll(command.arguments());
        var builder = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(command.log().toFile()));
        builder.environment().putAll(command.environment());
        try {
            return new ChildJvm(command.name(), command.log(), builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + command.name(), e);
        }
    }

    public String name() {
        return name;
    }

    /** Where its output is. */
    public Path log() {
        return log;
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL, and waits for the end. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** SIGTERM, and SIGKILL if that takes too long. Tells whether it did not. */
    public boolean stop(Duration patience) {
        var _ = process.toHandle().destroy(); // Process.destroy closes its standard input too, which kills it
        try {
            return awaitExit(patience);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            kill();
        }
    }

    /**
     * Waits until it is ready.
     *
     * @throws IllegalStateException it ended before, or was not ready in time
     */
    public void awaitReady(BooleanSupplier ready, Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (!ready.getAsBoolean()) {
            boolean late = System.nanoTime() > end;
            if (late || awaitExit(BETWEEN_LOOKS)) {
                throw new IllegalStateException(
                        name + (late ? " is not ready within " + patience : " ended") + "; its log is " + log);
            }
        }
    }

    /** CPU time that it has used so far. */
    public double cpuSeconds() {
        return process.info()
                .totalCpuDuration()
                .map(cpu -> cpu.toNanos() / NANOS_PER_SECOND)
                .orElse(Double.NaN);
    }

    /** Writes a line to its standard input; nothing happens if it is gone. */
    public void tell(String line) {
        try {
            OutputStream stdin = process.getOutputStream();
            stdin.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            stdin.flush();
        } catch (IOException e) {
            if (process.isAlive()) {
                throw new UncheckedIOException("cannot write to " + name, e);
            }
        }
    }

    /** Waits for its end, and tells whether it came in time. */
    public boolean awaitExit(Duration patience) throws InterruptedException {
        return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * SIGSTOP, and SIGCONT after a while. A shell of its own does both, so that the process goes on, and can end, even if this
     * JVM is killed meanwhile.
     */
    public void pause(Duration time) throws InterruptedException {
        String seconds = String.format(Locale.ROOT, "%.3f", time.toMillis() / 1000.0);
        String script = "kill -STOP $0 && sleep $1; kill -CONT $0";
        try {
            new ProcessBuilder("sh", "-c", script, Long.toString(pid()), seconds)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot stop " + name, e);
        }
    }

    /** Kills it. */
    @Override
    public void close() {
        kill();
    }
}
