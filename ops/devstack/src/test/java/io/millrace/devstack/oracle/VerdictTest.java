package io.millrace.devstack.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VerdictTest {

    private static final Place FIRST = new Place(0, 0);
    private static final Place SECOND = new Place(0, 1);
    private static final Place THIRD = new Place(3, 17);

    @Test
    void shouldFindNothingWrongWhereEachPromptEndedOnce() {
        Verdict verdict = verdict(Map.of(FIRST, 1, SECOND, 1), Set.of(SECOND), 0, 0, 0);

        assertThat(verdict.violations(Set.of(SECOND))).isEmpty();
        verdict.assertExactlyOnce();
    }

    @Test
    void shouldNameTheLostTheDoubledAndTheUnfounded() {
        Verdict verdict = verdict(Map.of(SECOND, 2, THIRD, 1), Set.of(), 0, 0, 0);

        assertThat(verdict.violations())
                .containsExactly(
                        "lost=1, expected=0: 0@0", "doubled=1, expected=0: 0@1", "unfounded=1, expected=0: 3@17");
        assertThatThrownBy(verdict::assertExactlyOnce)
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("not exactly once: lost=1");
    }

    @Test
    void shouldNameWhatFailedWithoutBeingAtFault() {
        Verdict verdict = verdict(Map.of(FIRST, 1, SECOND, 1), Set.of(FIRST, SECOND), 0, 0, 0);

        assertThat(verdict.violations(Set.of(SECOND))).containsExactly("wrongly failed=1, expected=0: 0@0");
    }

    @Test
    void shouldCountWhatIsLeftOver() {
        Verdict verdict = verdict(Map.of(FIRST, 1, SECOND, 1), Set.of(), 4, 3, 2);

        assertThat(verdict.violations())
                .containsExactly(
                        "prompts not committed=4, expected=0",
                        "entries left in the pending store=3, expected=0",
                        "metrics records=2, expected=0");
    }

    private static Verdict verdict(
            Map<Place, Integer> endings, Set<Place> failed, int uncommitted, int pending, int metrics) {
        return new Verdict(
                Set.of(FIRST, SECOND), uncommitted, endings, failed, List.of(), List.of(), 0, metrics, pending);
    }
}
