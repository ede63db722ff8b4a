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

/**
 * A JVM of its own, with this one's class path as a rule, to be killed, stopped and continued. It is told by its standard input when
 * this JVM is gone: its main class calls {@link ParentWatch#start}.
 *
 * <p>Threads: any.
 */
public final class ChildJvm implements AutoCloseable {

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
     * @param mainClass a class on this JVM's class path
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
        line.addAll(List.of("-cp", classPath, command.mainClass()));
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

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
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
