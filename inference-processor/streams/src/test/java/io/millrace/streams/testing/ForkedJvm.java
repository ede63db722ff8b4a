package io.millrace.streams.testing;

import io.millrace.devstack.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process of its own with this JVM's class path, to be killed, stopped and continued. */
public final class ForkedJvm implements AutoCloseable {

    private final ChildJvm process;

    private ForkedJvm(ChildJvm process) {
        this.process = process;
    }

    /**
     * Starts a main class.
     *
     * @param log what it prints goes there
     */
    public static ForkedJvm start(Class<?> main, Path log, List<String> arguments) {
        return new ForkedJvm(ChildJvm.start(new ChildJvm.Command(
                main.getSimpleName(),
                main.getName(),
                List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
                arguments,
                Map.of(),
                log)));
    }

    /** SIGKILL. */
    public void kill() {
        process.kill();
    }

    /** SIGSTOP: it stands still, and its connections stay. */
    public void stop() throws IOException, InterruptedException {
        signal("-STOP");
    }

    /** Goes on after a SIGSTOP. */
    public void cont() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", name, Long.toString(process.pid())).start();
        if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IllegalStateException("cannot send " + name + " to process " + process.pid());
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        kill();
    }
}
