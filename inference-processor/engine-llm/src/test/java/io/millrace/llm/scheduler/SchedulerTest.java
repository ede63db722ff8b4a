package io.millrace.llm.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SchedulerTest {

    private static final int BLOCK_SIZE = 4;

    @Test
    void shouldGiveDecodesTheirTokensFirstAndTheRestOfTheBudgetToPrompts() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        Sequence first = scheduler.enqueue(0, "t", new int[3], 20);
        run(scheduler, scheduler.plan());
        Sequence second = scheduler.enqueue(0, "t", new int[40], 60);

        BatchPlan plan = scheduler.plan();

        assertThat(describe(plan)).containsExactly("0: 3+1 draws", "1: 0+15");
        run(scheduler, plan);
        assertThat(describe(scheduler.plan())).containsExactly("0: 4+1 draws", "1: 15+15");
        assertThat(first.state()).isEqualTo(SequenceState.RUNNING);
        assertThat(second.scheduled()).isEqualTo(30);
    }

    @Test
    void shouldFillTheBudgetWithChunksOfSeveralPrompts() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        scheduler.enqueue(0, "t", new int[10], 20);
        scheduler.enqueue(0, "t", new int[10], 20);
        assertThat(describe(scheduler.plan())).containsExactly("0: 0+10 draws", "1: 0+6");
    }

    @Test
    void shouldTakeAWholePromptOrNothingWhereChunksAreOff() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.WHOLE, 16);
        scheduler.enqueue(0, "t", new int[10], 16);
        scheduler.enqueue(0, "t", new int[10], 16);
        scheduler.enqueue(0, "t", new int[2], 16);

        BatchPlan plan = scheduler.plan();

        assertThat(describe(plan)).as("nobody passes the head of the queue").containsExactly("0: 0+10 draws");
        run(scheduler, plan);
        assertThat(describe(scheduler.plan())).containsExactly("0: 10+1 draws", "1: 0+10 draws", "2: 0+2 draws");
    }

    @Test
    void shouldNotRunMoreSequencesThanAllowed() {
        Scheduler scheduler = scheduler(16, 2, 100, PrefillMode.CHUNKED);
        for (int i = 0; i < 3; i++) {
            scheduler.enqueue(0, "t", new int[1], 20);
        }
        assertThat(scheduler.plan().items()).hasSize(2);
        assertThat(scheduler.waitingCount()).isEqualTo(1);
    }

    @Test
    void shouldKeepABlockInReserveForEachRunningSequenceWhenItAdmits() {
        Scheduler scheduler = scheduler(64, 8, 5, PrefillMode.CHUNKED, 5 * BLOCK_SIZE);
        scheduler.enqueue(0, "t", new int[8], 12); // 2 blocks
        scheduler.enqueue(0, "t", new int[8], 12); // 2 blocks and 1 in reserve: just fits
        scheduler.enqueue(0, "t", new int[4], 12);
        assertThat(describe(scheduler.plan())).containsExactly("0: 0+8 draws", "1: 0+8 draws");
    }

    @Test
    void shouldPreemptTheNewestOfTheLeastImportantWhenBlocksRunOut() {
        Scheduler scheduler = scheduler(64, 8, 7, PrefillMode.CHUNKED, 7 * BLOCK_SIZE);
        Sequence old = scheduler.enqueue(0, "t", new int[8], 28);
        Sequence unimportant = scheduler.enqueue(1, "t", new int[4], 28);
        Sequence newest = scheduler.enqueue(0, "t", new int[8], 28);
        run(scheduler, scheduler.plan()); // old and newest hold 2 blocks each, unimportant 1
        run(scheduler, scheduler.plan()); // each takes one more, as far as there is one

        assertThat(unimportant.state()).isEqualTo(SequenceState.PREEMPTED);
        assertThat(unimportant.preemptions()).isEqualTo(1);
        assertThat(unimportant.computed()).isZero();
        assertThat(unimportant.known()).as("its token is kept").isEqualTo(5);
        assertThat(old.state()).isEqualTo(SequenceState.RUNNING);
        assertThat(newest.state()).isEqualTo(SequenceState.RUNNING);
    }

    @Test
    void shouldPreemptFirstWhoseNumberWasRaisedWhileItRan() {
        Scheduler scheduler = scheduler(64, 8, 7, PrefillMode.CHUNKED, 7 * BLOCK_SIZE);
        Sequence raised = scheduler.enqueue(0, "t", new int[8], 28);
        Sequence second = scheduler.enqueue(0, "t", new int[4], 28);
        Sequence newest = scheduler.enqueue(0, "t", new int[8], 28);
        run(scheduler, scheduler.plan());

        scheduler.setPriority(raised, Integer.MAX_VALUE);
        run(scheduler, scheduler.plan());

        assertThat(raised.state()).isEqualTo(SequenceState.PREEMPTED);
        assertThat(second.state()).isEqualTo(SequenceState.RUNNING);
        assertThat(newest.state()).isEqualTo(SequenceState.RUNNING);
    }

    @Test
    void shouldServeAWaitingSequenceWhereItsNewPriorityPutsIt() {
        Scheduler scheduler = scheduler(64, 1, 100, PrefillMode.CHUNKED);
        Sequence first = scheduler.enqueue(1, "t", new int[1], 2);
        Sequence second = scheduler.enqueue(1, "t", new int[1], 2);
        Sequence third = scheduler.enqueue(1, "t", new int[1], 2);
        scheduler.setPriority(third, 0);
        scheduler.setPriority(first, 2);
        scheduler.setPriority(first, 1); // back, and still the oldest of its tenant

        List<Sequence> served = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            BatchPlan plan = scheduler.plan();
            run(scheduler, plan);
            served.add(plan.items().getFirst().sequence());
        }

        assertThat(served).containsExactly(third, first, second);
        assertThatIllegalStateException()
                .isThrownBy(() -> scheduler.setPriority(first, 0))
                .withMessageEndingWith("expected=a sequence that is not finished");
    }

    @Test
    void shouldRestartAPreemptedSequenceBeforeThoseThatNeverRan() {
        Scheduler scheduler = scheduler(64, 8, 4, PrefillMode.CHUNKED, 4 * BLOCK_SIZE);
        Sequence old = scheduler.enqueue(0, "t", new int[7], 16);
        Sequence victim = scheduler.enqueue(0, "t", new int[4], 16);
        BatchPlan first = scheduler.plan();
        run(scheduler, first);
        scheduler.enqueue(0, "other", new int[1], 16);
        while (victim.state() == SequenceState.RUNNING) {
            run(scheduler, scheduler.plan());
        }
        scheduler.finish(old);

        BatchPlan plan = scheduler.plan();

        assertThat(plan.items().getFirst().sequence()).isSameAs(victim);
        assertThat(plan.items().getFirst().start()).isZero();
        assertThat(plan.items().getFirst().count()).isEqualTo(victim.known());
        assertThat(scheduler.isCurrent(plan.items().getFirst())).isTrue();
        assertThat(scheduler.isCurrent(first.items().get(1)))
                .as("of its life before")
                .isFalse();
    }

    @Test
    void shouldFinishEverySequenceHoweverSmallThePoolIs() {
        Scheduler scheduler = scheduler(8, 8, 5, PrefillMode.CHUNKED, 5 * BLOCK_SIZE);
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            sequences.add(scheduler.enqueue(i % 3, "t" + i % 4, new int[1 + i % 9], 20));
        }
        for (int step = 0; step < 2_000 && scheduler.runningCount() + scheduler.waitingCount() > 0; step++) {
            run(scheduler, scheduler.plan());
        }
        assertThat(sequences).allSatisfy(sequence -> {
            assertThat(sequence.state()).isEqualTo(SequenceState.FINISHED);
            assertThat(sequence.known()).isEqualTo(20);
        });
        assertThat(scheduler.preemptions()).isPositive();
        assertThat(scheduler.kvCacheUsage()).isZero();
    }

    @Test
    void shouldNotStarveALongPromptAmongAStreamOfShortOnes() {
        Scheduler scheduler = scheduler(8, 4, 20, PrefillMode.CHUNKED, 80);
        for (int i = 0; i < 4; i++) {
            scheduler.enqueue(0, "crowd", new int[4], 20);
        }
        run(scheduler, scheduler.plan());
        Sequence lonely = scheduler.enqueue(0, "crowd", new int[70], 80); // needs nearly all blocks
        int steps = 0;
        while (lonely.state() != SequenceState.FINISHED) {
            scheduler.enqueue(0, "crowd", new int[4], 20);
            run(scheduler, scheduler.plan());
            assertThat(++steps).as("steps until the long prompt is done").isLessThan(200);
        }
    }

    @Test
    void shouldServeALateTenantAfterOneSequenceOfEachOther() {
        Scheduler scheduler = scheduler(8, 1, 20, PrefillMode.CHUNKED, 80);
        for (int i = 0; i < 500; i++) {
            scheduler.enqueue(0, "crowd", new int[1], 2);
        }
        run(scheduler, scheduler.plan());
        Sequence late = scheduler.enqueue(0, "late", new int[1], 2);
        run(scheduler, scheduler.plan());
        run(scheduler, scheduler.plan());
        assertThat(late.state()).isEqualTo(SequenceState.FINISHED);
    }

    @Test
    void shouldPlanATokenBehindOneThatIsStillInFlight() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        Sequence sequence = scheduler.enqueue(0, "t", new int[] {7, 8, 9}, 6);
        BatchPlan first = scheduler.plan();
        BatchPlan second = scheduler.plan();

        assertThat(describe(second)).containsExactly("0: 3+1 draws");
        assertThat(second.items().getFirst().knownTokens())
                .as("only the device knows it")
                .isEmpty();
        assertThat(second.items().getFirst().blockTables()[0]).hasSize(1);

        run(scheduler, first);
        assertThat(sequence.computed()).isEqualTo(3);
        assertThat(sequence.known()).isEqualTo(4);
        run(scheduler, second);
        run(scheduler, scheduler.plan());
        assertThat(sequence.state()).isEqualTo(SequenceState.FINISHED);
    }

    @Test
    void shouldPlanNothingBehindTheLastTokenThatFits() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        scheduler.enqueue(0, "t", new int[3], 4);
        scheduler.plan();
        assertThat(scheduler.plan().isEmpty()).isTrue();
    }

    @Test
    void shouldVoidAnItemInFlightWhoseSequenceEnded() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        Sequence sequence = scheduler.enqueue(0, "t", new int[3], 20);
        BatchPlan first = scheduler.plan();
        BatchPlan second = scheduler.plan();
        assertThat(scheduler.collected(first.items().getFirst())).isTrue();
        scheduler.finish(sequence);
        assertThat(scheduler.collected(second.items().getFirst())).isFalse();
    }

    @Test
    void shouldPlanTheSameTokensAgainAfterARollBack() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED);
        scheduler.enqueue(0, "t", new int[20], 30);
        run(scheduler, scheduler.plan());
        BatchPlan failed = scheduler.plan();
        scheduler.rollBack(failed.items().getFirst());

        assertThat(scheduler.planAgain(failed.items())).isEqualTo(failed);
    }

    @Test
    void shouldLendAProbeTheSlotAndTheBlockOfARequeuedSequence() {
        Scheduler scheduler = scheduler(16, 1, 25, PrefillMode.CHUNKED);
        Sequence only = scheduler.enqueue(0, "t", new int[99], 100);
        scheduler.plan();
        assertThat(scheduler.kvCacheUsage()).isEqualTo(1);
        scheduler.requeue(only);

        BatchPlan probe = scheduler.planProbe(0);

        assertThat(probe.tokenCount()).isEqualTo(1);
        assertThat(scheduler.runningCount()).isZero();
        scheduler.endProbe(probe);
        assertThat(scheduler.kvCacheUsage()).isZero();
        assertThat(scheduler.plan().items().getFirst().sequence()).isSameAs(only);
    }

    @Test
    void shouldRunFewerSequencesInChunksWhileTheBudgetIsShort() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.WHOLE, 16);
        for (int i = 0; i < 4; i++) {
            scheduler.enqueue(0, "t", new int[12], 16);
        }
        scheduler.plan();
        scheduler.requeueAll();
        scheduler.budget().shrink();
        assertThat(scheduler.runningCount()).isZero();

        BatchPlan plan = scheduler.plan();
        assertThat(describe(plan)).containsExactly("0: 0+8");
        run(scheduler, plan);
        plan = scheduler.plan();
        assertThat(describe(plan)).containsExactly("0: 8+4 draws", "1: 0+4");
        run(scheduler, plan);
        assertThat(describe(scheduler.plan())).as("two at once, not three").containsExactly("0: 12+1 draws", "1: 4+7");
    }

    @Test
    void shouldTakeAWaitingSequenceOutOfLine() {
        Scheduler scheduler = scheduler(16, 1, 100, PrefillMode.CHUNKED);
        Sequence first = scheduler.enqueue(0, "t", new int[3], 4);
        Sequence second = scheduler.enqueue(0, "t", new int[3], 4);
        scheduler.finish(first);
        assertThat(scheduler.plan().items().getFirst().sequence()).isSameAs(second);
        assertThatIllegalStateException()
                .isThrownBy(() -> scheduler.finish(first))
                .withMessageContaining("expected=a sequence that is not finished");
    }

    @Test
    void shouldRefuseASequenceThatCouldNeverFit() {
        Scheduler scheduler = scheduler(16, 4, 100, PrefillMode.CHUNKED, 80);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> scheduler.enqueue(0, "t", new int[3], 81))
                .withMessage("prompt_tokens=3, max_length=81, expected=1 to max_length - 1 of at most 80");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> scheduler.enqueue(0, "t", new int[3], 3))
                .withMessage("prompt_tokens=3, max_length=3, expected=1 to max_length - 1 of at most 80");
    }

    @Test
    void shouldRefuseLimitsThatCannotServeTheirOwnSequences() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SchedulerLimits(3, 4, 16, 4, 4, 1, PrefillMode.CHUNKED))
                .withMessage("max_num_batched_tokens=3, expected=at least max_num_seqs=4");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SchedulerLimits(15, 4, 16, 4, 4, 1, PrefillMode.WHOLE))
                .withMessage("max_num_batched_tokens=15, expected=at least max_model_len=16,"
                        + " for enable_chunked_prefill=false");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SchedulerLimits(16, 4, 17, 4, 4, 1, PrefillMode.CHUNKED))
                .withMessage("num_blocks=4, expected=5 or more, for max_model_len=17");
    }

    @Test
    void shouldAllowOnlyTheTransitionsOfTheDiagram() {
        assertThat(SequenceState.WAITING.mayBecome(SequenceState.RUNNING)).isTrue();
        assertThat(SequenceState.WAITING.mayBecome(SequenceState.PREEMPTED)).isFalse();
        assertThat(SequenceState.PREEMPTED.mayBecome(SequenceState.RUNNING)).isTrue();
        assertThat(SequenceState.RUNNING.mayBecome(SequenceState.WAITING)).isFalse();
        for (SequenceState state : SequenceState.values()) {
            assertThat(SequenceState.FINISHED.mayBecome(state)).isFalse();
            assertThat(state.mayBecome(SequenceState.FINISHED)).isEqualTo(state != SequenceState.FINISHED);
        }
    }

    private static Scheduler scheduler(int maxNumBatchedTokens, int maxNumSeqs, int numBlocks, PrefillMode mode) {
        return scheduler(maxNumBatchedTokens, maxNumSeqs, numBlocks, mode, 100);
    }

    private static Scheduler scheduler(
            int maxNumBatchedTokens, int maxNumSeqs, int numBlocks, PrefillMode mode, int maxModelLen) {
        return new Scheduler(
                new SchedulerLimits(maxNumBatchedTokens, maxNumSeqs, maxModelLen, numBlocks, BLOCK_SIZE, 1, mode));
    }

    /** As an engine does when a step is collected; every token drawn is 1. */
    private static void run(Scheduler scheduler, BatchPlan plan) {
        for (BatchPlan.Item item : plan.items()) {
            if (scheduler.collected(item) && item.draws()) {
                item.sequence().append(1);
                if (item.sequence().atMaxLength()) {
                    scheduler.finish(item.sequence());
                }
            }
        }
    }

    private static List<String> describe(BatchPlan plan) {
        return plan.items().stream()
                .map(item -> item.sequence().arrival() + ": " + item.start() + "+" + item.count()
                        + (item.draws() ? " draws" : ""))
                .toList();
    }
}
