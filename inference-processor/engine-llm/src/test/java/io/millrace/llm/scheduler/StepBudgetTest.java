package io.millrace.llm.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StepBudgetTest {

    private final StepBudget budget = new StepBudget(new SchedulerLimits(100, 6, 50, 100, 4, 1, PrefillMode.CHUNKED));

    @Test
    void shouldHalveDownToATokenOfASequence() {
        assertThat(budget.isWhole()).isTrue();
        shrinkTo(50, 3);
        assertThat(budget.isWhole()).isFalse();
        shrinkTo(25, 1);
        shrinkTo(12, 1);
        shrinkTo(6, 1);
        shrinkTo(3, 1);
        assertThat(budget.isSmallest()).isFalse();
        shrinkTo(1, 1);
        assertThat(budget.isSmallest()).isTrue();
        shrinkTo(1, 1);
        assertThat(budget.shrinks()).isEqualTo(7);
    }

    @Test
    void shouldGrowBackAfterCleanStepsUpToWhatIsConfigured() {
        budget.shrink();
        completeSteps(StepBudget.FIRST_CLEAN_STEPS - 1);
        assertThat(budget.tokens()).isEqualTo(50);
        completeSteps(1);
        assertThat(budget.isWhole()).isTrue();
        completeSteps(1000);
        assertThat(budget.tokens()).isEqualTo(100);
        assertThat(budget.sequences()).isEqualTo(6);
    }

    @Test
    void shouldGrowMoreSlowlyAfterEachExhaustionButNotForEverMoreSlowly() {
        budget.shrink();
        completeSteps(StepBudget.FIRST_CLEAN_STEPS - 1);
        budget.shrink(); // the count begins anew
        completeSteps(2 * StepBudget.FIRST_CLEAN_STEPS - 1);
        assertThat(budget.tokens()).isEqualTo(25);
        completeSteps(1);
        assertThat(budget.tokens()).isEqualTo(50);
        for (int i = 0; i < 40; i++) {
            budget.shrink();
        }
        completeSteps(StepBudget.MOST_CLEAN_STEPS - 1);
        assertThat(budget.isSmallest()).isTrue();
        completeSteps(1);
        assertThat(budget.tokens()).isEqualTo(2);
    }

    @Test
    void shouldNeverAllowMoreSequencesThanTokens() {
        StepBudget narrow = new StepBudget(new SchedulerLimits(6, 6, 50, 100, 4, 1, PrefillMode.CHUNKED));
        for (int i = 0; i < 3; i++) {
            narrow.shrink();
        }
        for (int i = 0; i < 2000; i++) {
            narrow.stepCompleted();
            assertThat(narrow.sequences()).isBetween(1, narrow.tokens());
        }
        assertThat(narrow.isWhole()).isTrue();
    }

    private void shrinkTo(int tokens, int sequences) {
        budget.shrink();
        assertThat(budget.tokens()).isEqualTo(tokens);
        assertThat(budget.sequences()).isEqualTo(sequences);
    }

    private void completeSteps(int count) {
        for (int i = 0; i < count; i++) {
            budget.stepCompleted();
        }
    }
}
