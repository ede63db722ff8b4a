package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LastResortTest {

    /** A process whose main thread and shutdown hook both hang, as over an engine that nobody can close. */
    static final class Hanging {
        public static void main(String[] args) throws InterruptedException {
            var never = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitForever(never)));
            try (var lastResort = new LastResort()) {
                lastResort.arm(ExitCode.ENGINE, 1);
                if (args.length > 0) {
                    return;
                }
                never.await();
            }
        }

        private static void awaitForever(CountDownLatch never) {
            try {
                never.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    @Timeout(60)
    void shouldEndAProcessThatHangsWithTheEnginesExitCode() throws Exception {
        // When
        Process process = start();

        // Then
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isEqualTo(ExitCode.ENGINE.value);
        assertThat(said).contains("millrace: not closed within 1 s, halting all the same");
    }

    @Test
    @Timeout(60)
    void shouldLetAProcessLiveThatClosedInTime() throws Exception {
        // When
        Process process = start("closes");

        // Then: its own shutdown hook hangs, and nobody halts it
        try {
            assertThat(process.waitFor(3, TimeUnit.SECONDS)).isFalse();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static Process start(String... args) throws IOException {
        var command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Hanging.class.getName());
        command.command().addAll(List.of(args));
        return command.redirectErrorStream(true).start();
    }
}
