package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RecoveriesTest {

    private final Recoveries recoveries = new Recoveries();

    @Test
    void shouldTakeTheFirstEndingOfAHitPartitionThatWasMadeAfterTheFault() {
        recoveries.hit(FaultKind.KILL, 1_000, ending -> ending.partition() == 3);

        recoveries.ended(ending(3, 999, 1_200)); // made before, seen after
        recoveries.ended(ending(4, 1_500, 1_600)); // another's
        recoveries.ended(ending(3, 8_000, 8_100));
        recoveries.ended(ending(3, 9_000, 9_100));

        assertThat(recoveries.millis(FaultKind.KILL)).containsExactly(7_100L);
    }

    @Test
    void shouldKeepFaultsApart() {
        recoveries.hit(FaultKind.KILL, 1_000, ending -> true);
        recoveries.hit(FaultKind.KILL, 2_000, ending -> true);
        recoveries.hit(FaultKind.CUT, 2_000, ending -> false);

        recoveries.ended(ending(0, 1_500, 1_700));
        recoveries.ended(ending(0, 2_500, 2_900));

        assertThat(recoveries.millis(FaultKind.KILL)).containsExactly(700L, 900L);
        assertThat(recoveries.millis(FaultKind.CUT)).isEmpty();
    }

    @Test
    void shouldTakeTheMiddleOneAndTheLongest() {
        var line = new ChaosReport.Line(
                FaultKind.KILL, 4, List.of(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(9)));

        assertThat(line.p50()).isEqualTo(Duration.ofSeconds(2));
        assertThat(line.max()).isEqualTo(Duration.ofSeconds(9));
        assertThat(new ChaosReport.Line(FaultKind.CUT, 1, List.of()).max()).isZero();
    }

    private static Ending ending(int partition, long completedAtMs, long seenAtMs) {
        return new Ending(partition, 0, completedAtMs, seenAtMs, Optional.empty());
    }
}
