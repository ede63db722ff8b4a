package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {

    @Test
    void shouldAnswerTheSamplesAndSayWhyThreeOfThemFail() {
        Cli cli = Cli.run("demo");

        assertThat(cli.exitCode()).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains("acme-01", "hooli-41", "3 failures, of prompts that are wrong on purpose:")
                .contains("MODEL_NOT_FOUND", "model=smollm2-135m-instruct-v9, expected=one of smollm2-135m-instruct")
                .contains("temperature=9.5, expected=0 to 2", "operation=clairvoyance, expected=one of")
                .containsPattern("57 answers in [0-9.]+ s: [0-9]+ prompt and [0-9]+ generated tokens")
                .contains("A model of 135 million parameters answers weakly; name a better one");
        assertThat(cli.err()).isEmpty(); // no progress line where there is no terminal
    }

    @Test
    @Timeout(120)
    void shouldLeaveNothingBehindWhenItIsEnded(@TempDir Path temporary) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "demo")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            await().atMost(Duration.ofMinutes(1)).until(() -> hasBroker(temporary));

            process.destroy(); // SIGTERM

            assertThat(process.waitFor()).isEqualTo(143);
            try (Stream<Path> left = Files.list(temporary)) {
                assertThat(left.filter(each -> each.getFileName().toString().startsWith("millrace-")))
                        .isEmpty();
            }
        } finally {
            process.destroyForcibly();
        }
    }

    private static boolean hasBroker(Path temporary) throws IOException {
        try (Stream<Path> files = Files.walk(temporary, 3)) {
            return files.anyMatch(file -> file.endsWith("data/meta.properties"));
        } catch (UncheckedIOException e) {
            return false; // something is gone already
        }
    }

    @Test
    void shouldTakeTheNearestRankAsPercentile() {
        double[] millis = {1_000, 2_000, 3_000, 4_000};
        assertThat(DemoReport.percentile(millis, 50)).isEqualTo("2.00 s");
        assertThat(DemoReport.percentile(millis, 95)).isEqualTo("4.00 s");
        assertThat(DemoReport.percentile(new double[0], 50)).isEqualTo("-");
    }
}
