package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemporaryFolderTest {

    @TempDir
    Path temporary;

    /** Has a folder, into which a child process and a thread write without end. */
    static final class Busy {
        public static void main(String[] args) throws Exception {
            try (var folder = TemporaryFolder.create("busy-")) {
                Process child = new ProcessBuilder(
                                "sh",
                                "-c",
                                "while mkdir -p \"$0/child\"; do touch \"$0/child/$((i=i+1))\"; done",
                                folder.path().toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                Path deep =
                        Files.createDirectories(folder.path().resolve("deep").resolve("er"));
                Thread.ofPlatform().daemon().start(() -> write(deep));
                System.out.println(child.pid());
                new CountDownLatch(1).await();
            }
        }

        private static void write(Path folder) {
            try {
                for (int i = 0; ; i++) {
                    Files.writeString(folder.resolve("file-" + i % 100), "x");
                }
            } catch (IOException e) {
                // gone
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    @Timeout(60)
    void shouldBeGoneWithWhatWritesIntoItAfterASignal(String signal) throws Exception {
        Assumptions.assumeFalse(
                signal.equals("INT") && SecondInterruptTest.isIgnored(),
                "SIGINT is ignored here, as in a background job of a shell");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Busy.class.getName())
                .redirectErrorStream(true)
                .start();
        Optional<ProcessHandle> child = Optional.empty();
        try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
            child = ProcessHandle.of(Long.parseLong(said.readLine()));
            assertThat(child).isPresent();
            assertThat(left()).hasSize(1);

            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .start()
                    .waitFor();

            assertThat(said.readAllLines()).isEmpty();
            process.waitFor();
            assertThat(left()).isEmpty();
            assertThat(child.filter(ProcessHandle::isAlive)).isEmpty();
        } finally {
            process.destroyForcibly();
            // it takes a whole processor, and for ever
            child.ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void shouldBeGoneWhenClosedUnlessItIsKept() throws Exception {
        Path closed;
        Path kept;
        try (var folder = TemporaryFolder.create("closed-");
                var other = TemporaryFolder.create("kept-")) {
            closed = folder.path();
            kept = other.path();
            Files.writeString(Files.createDirectories(closed.resolve("a/b")).resolve("c"), "d");
            other.keep();
        }

        assertThat(closed).doesNotExist();
        assertThat(kept).isDirectory();
        Files.delete(kept);
    }

    private List<Path> left() throws Exception {
        try (var all = Files.list(temporary)) {
            return all.filter(path -> path.getFileName().toString().startsWith("busy-"))
                    .toList();
        }
    }
}
