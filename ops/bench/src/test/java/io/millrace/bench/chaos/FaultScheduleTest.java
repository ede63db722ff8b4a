package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class FaultScheduleTest {

    private static final Duration TIME = Duration.ofMinutes(20);
    private static final Duration GAP = Duration.ofSeconds(10);
    private static final List<FaultKind> ALL = List.of(FaultKind.values());

    @Test
    void shouldBeTheSameForTheSameSeedAndAnotherForAnother() {
        assertThat(schedule(7)).isEqualTo(schedule(7)).isNotEqualTo(schedule(8));
    }

    @Test
    void shouldDealEachKindOnceBeforeOneComesTwice() {
        List<Fault> faults = schedule(7);

        assertThat(faults).hasSizeGreaterThan(2 * ALL.size());
        assertThat(faults.subList(0, ALL.size()).stream().map(Fault::kind).collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(ALL);
    }

    @Test
    void shouldKeepToTheGapAndLeaveTheLastSixthInPeace() {
        List<Fault> faults = schedule(7);

        assertThat(faults).isSortedAccordingTo(Comparator.comparing(Fault::at));
        assertThat(faults.getLast().at())
                .isLessThanOrEqualTo(TIME.multipliedBy(5).dividedBy(6));
        for (int i = 1; i < faults.size(); i++) {
            assertThat(faults.get(i).at().minus(faults.get(i - 1).at()))
                    .isBetween(GAP.dividedBy(2), GAP.multipliedBy(3).dividedBy(2));
        }
    }

    @Test
    void shouldStopWorkersForLongerThanTheirSession() {
        assertThat(schedule(7))
                .filteredOn(fault -> fault.kind() == FaultKind.STOP || fault.kind() == FaultKind.STOP_RESTORED)
                .isNotEmpty()
                .allSatisfy(fault -> assertThat(fault.length()).isGreaterThan(Duration.ofSeconds(6)));
    }

    @Test
    void shouldRefuseWhatIsNoPlan() {
        assertThatThrownBy(() -> plan(Duration.ofSeconds(10), 3, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("minutes=PT10S, expected=at least 0.5");
        assertThatThrownBy(() -> plan(TIME, 0, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("workers=0, expected=1 to 16");
        assertThatThrownBy(() -> plan(TIME, 3, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rate=0.0, expected=above 0");
        assertThatThrownBy(() -> FaultKind.of("flood"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "faults=flood, expected=some of kill, stop, stop-restored, scale-down, scale-up, broker-restart, "
                                + "broker-kill, cut, delay, stall, lost-ack");
    }

    private static List<Fault> schedule(long seed) {
        return FaultSchedule.of(seed, TIME, GAP, ALL);
    }

    private static ChaosPlan plan(Duration time, int workers, double rate) {
        return new ChaosPlan(
                time, 1, workers, rate, GAP, ALL, new ChaosPlan.Worker("Main", List.of(), Path.of("model.gguf")));
    }
}
