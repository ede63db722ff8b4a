package io.millrace.streams.zombie;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stops this process at the worst moment: results are about to be forwarded, nothing of their transaction has been sent
 * yet, and the consumer was polled before. An open transaction would run into its timeout, and fence even the unfenced.
 */
final class StopBeforeForward {

    private final String resultsTopic;
    private final Path armed;
    private final Path stopped;
    private final AtomicInteger commits = new AtomicInteger();
    private volatile boolean inTransaction;

    StopBeforeForward(String resultsTopic, Path armed, Path stopped) {
        this.resultsTopic = resultsTopic;
        this.armed = armed;
        this.stopped = stopped;
    }

    void begun() {
        inTransaction = true;
    }

    void committed() {
        inTransaction = false;
        commits.incrementAndGet();
    }

    /** Whether what came with the restored prompts is committed. */
    boolean isSettled() {
        return commits.get() > 0 && !inTransaction;
    }

    void beforeSend(String topic) {
        if (!topic.equals(resultsTopic) || !Files.exists(armed) || Files.exists(stopped)) {
            return;
        }
        try {
            Files.createFile(stopped);
            String pid = Long.toString(ProcessHandle.current().pid());
            // returns after someone has sent SIGCONT
            new ProcessBuilder("kill", "-STOP", pid).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
