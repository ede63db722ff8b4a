package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.chaos.FaultKind;
import org.junit.jupiter.api.Test;

class BenchChaosCommandTest {

    @Test
    void shouldNameEachFaultInItsHelp() {
        Cli cli = Cli.run("bench", "chaos", "--help");

        assertThat(cli.exitCode()).isZero();
        for (FaultKind kind : FaultKind.values()) {
            assertThat(cli.out()).contains("  " + kind + " ");
        }
    }

    @Test
    void shouldRefuseAnUnknownFaultBeforeAnythingStarts() {
        Cli cli = Cli.run("bench", "chaos", "--faults", "kill,flood");

        assertThat(cli.exitCode()).isEqualTo(2);
        assertThat(cli.errLines())
                .containsExactly(
                        "millrace: faults=flood, expected=some of kill, stop, stop-restored, scale-down, scale-up,"
                                + " broker-restart, broker-kill, cut, delay, stall, lost-ack");
    }
}
