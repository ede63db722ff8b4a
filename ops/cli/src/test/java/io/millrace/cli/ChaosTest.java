package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Two minutes of faults of all kinds against real workers on a cluster of three. The oracle judges, times do not matter. A new seed each
 * time, which a failure names; {@code -Dmillrace.chaos.seed=S} takes one again.
 */
class ChaosTest {

    private final long seed = Long.getLong("millrace.chaos.seed", new Random().nextInt(1_000_000));

    @Test
    void shouldEndEachPromptOnceUnderTwoMinutesOfFaults() throws IOException {
        Path folder = Path.of("target", "chaos-" + seed).toAbsolutePath();
        Cli cli = Cli.run(
                "bench",
                "chaos",
                "--minutes",
                "2",
                "--seed",
                Long.toString(seed),
                "--workers",
                "2",
                "--rate",
                "1",
                "--gap",
                "8",
                "--directory",
                folder.toString());

        assertThat(cli.exitCode())
                .as("seed %d, logs in %s%n%s%n%s", seed, folder, cli.out(), cli.err())
                .isZero();
        assertThat(cli.outLines())
                .contains("seed " + seed)
                .last()
                .isEqualTo(
                        "exactly once: every prompt has one ending, every transaction is finished, nothing is pending");
        if (Files.exists(folder)) {
            TemporaryFolder.delete(folder);
        }
    }
}
