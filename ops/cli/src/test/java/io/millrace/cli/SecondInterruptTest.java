package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SecondInterruptTest {

    private static final long INT_BIT = 1 << 1;

    /** A process that takes for ever to close. */
    static final class Draining {
        public static void main(String[] args) throws InterruptedException {
            var never = new CountDownLatch(1);
            try (Shutdown _ = Shutdown.onSignal(
                    () -> {
                        SecondInterrupt.halts();
                        System.out.println("draining");
                    },
                    3600)) {
                System.out.println("ready");
                never.await();
            }
        }
    }

    @Test
    @Timeout(60)
    void shouldEndAtOnceByTheSecondCtrlCAndNotByTheFirst() throws Exception {
        Assumptions.assumeFalse(isIgnored(), "SIGINT is ignored here, as in a background job of a shell");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Draining.class.getName())
                .redirectErrorStream(true)
                .start();
        try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
            awaitLine(said, "ready");

            interrupt(process);
            awaitLine(said, "draining");
            assertThat(process.isAlive()).isTrue();
            interrupt(process);

            assertThat(process.waitFor()).isEqualTo(ExitCode.INTERRUPTED.value);
        } finally {
            process.destroyForcibly();
        }
    }

    private static void awaitLine(BufferedReader said, String expected) throws Exception {
        for (String line = said.readLine(); !expected.equals(line); line = said.readLine()) {
            assertThat(line).as("before " + expected).isNotNull();
        }
    }

    private static void interrupt(Process process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Whether this JVM, and so its child, does not hear SIGINT. */
    static boolean isIgnored() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .anyMatch(line -> (Long.parseUnsignedLong(
                                        line.substring("SigIgn:".length()).strip(), 16)
                                & INT_BIT)
                        != 0);
    }
}
