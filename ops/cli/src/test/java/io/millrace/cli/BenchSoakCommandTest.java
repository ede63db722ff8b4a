package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BenchSoakCommandTest {

    @Test
    void shouldRefuseWhatIsNoPlanBeforeAnythingStarts() {
        Cli workers = Cli.run("bench", "soak", "--minutes", "10", "--workers", "3");
        assertThat(workers.exitCode()).isEqualTo(2);
        assertThat(workers.errLines()).containsExactly("millrace: workers=3, expected=1 or 2");

        Cli time = Cli.run("bench", "soak", "--minutes", "0.5");
        assertThat(time.exitCode()).isEqualTo(2);
        assertThat(time.errLines()).containsExactly("millrace: minutes=0.5, expected=at least 1");
    }

    @Test
    void shouldShowItsPercentagesInItsHelp() {
        Cli cli = Cli.run("bench", "soak", "--help");

        assertThat(cli.out()).contains("the 95% interval").contains("than 2% over the run");
        assertThat(cli.err()).isEmpty();
    }
}
