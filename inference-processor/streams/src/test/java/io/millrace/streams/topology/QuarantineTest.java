package io.millrace.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.FailureCode;
import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.pending.PendingPrompt;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts that are there whenever a process dies: a few at a time, then alone, then given up. */
class QuarantineTest {

    private final TaskHarness task;

    QuarantineTest(@TempDir File directory) {
        task = new TaskHarness(directory);
    }

    @AfterEach
    void close() {
        task.close();
    }

    @Test
    void shouldRunAFewSuspectsAtATimeBesideNormalWork() {
        task.engine().holding(text -> text.startsWith("suspect"));
        IntStream.range(0, 10).forEach(i -> task.left(i, "suspect " + i, 2));
        task.left(10, "twice recovered", 1);
        task.begin();
        task.settle();
        task.read(11, "new");
        task.settle();

        assertThat(task.submitted())
                .containsExactly("twice recovered", "suspect 0", "suspect 1", "suspect 2", "suspect 3", "new");
        assertThat(task.results()).isEqualTo(2);

        task.engine().release();
        task.settle();
        assertThat(task.results()).isEqualTo(12);
        assertThat(task.pending()).isZero();
        assertThat(task.process().gate.pending()).isZero();
    }

    @Test
    void shouldRunASuspectAloneAndOnlyOnceItsMarkIsCommitted() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.left(1, "normal", 0);
        task.begin();
        task.settle();
        assertThat(task.submitted()).as("what runs is waited for").containsExactly("normal");
        assertThat(task.stored(0).alone()).as("not before it is quiet").isFalse();
        task.read(2, "new");
        task.settle();
        assertThat(task.submitted()).as("nothing new enters").containsExactly("normal");

        task.engine().releaseHeld();
        task.drain();
        task.drain();
        assertThat(task.stored(0).alone()).isTrue();
        for (int rebalance = 0; rebalance < 5; rebalance++) {
            task.kafka().resetCommit();
            task.drain();
            assertThat(task.kafka().committed()).as("asks again").isTrue();
            assertThat(task.running()).as("the mark is not committed").isEmpty();
        }

        task.commit();
        task.settle();
        assertThat(task.running()).containsExactly("suspect");

        task.engine().release();
        task.settle();
        assertThat(task.results()).isEqualTo(3);
        assertThat(task.submitted()).containsExactly("normal", "suspect", "new");
    }

    /** Its mark is in the store until then: what others did to the process would be taken for its doing. */
    @Test
    void shouldLetOthersInOnlyOnceTheEndingOfWhatRanAloneIsCommitted() {
        var _ = new FencedProducer(new MockProducer<>(), new TopicPartition("fence", 0), task.process().pacer);
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        assertThat(task.running()).containsExactly("suspect");
        task.read(1, "new");

        task.engine().releaseHeld();
        for (int rebalance = 0; rebalance < 5; rebalance++) {
            task.drain();
        }
        assertThat(task.results()).isEqualTo(1);
        assertThat(task.submitted()).containsExactly("suspect");

        task.settle();
        assertThat(task.submitted()).containsExactly("suspect", "new");
    }

    @Test
    void shouldStrikeAtEachDeathAndGiveUpAtTheThird() {
        task.engine().holding(text -> true);
        task.left(0, "poison", 5);
        task.begin();
        task.settle();
        for (int strikes = 1; strikes <= 2; strikes++) {
            assertThat(task.running()).containsExactly("poison");
            task.dieAndMove();
            task.engine().holding(text -> true);
            task.settle();
            PendingPrompt stored = task.stored(0);
            assertThat(stored.strikes()).isEqualTo(strikes);
            assertThat(stored.recoveries()).isEqualTo(6 + strikes);
        }
        assertThat(task.running()).containsExactly("poison");

        task.dieAndMove();
        task.settle();

        assertThat(task.submitted()).as("not run again").isEmpty();
        assertThat(task.failures()).singleElement().satisfies(failure -> {
            assertThat(failure.getCode()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failure.getMessage())
                    .isEqualTo("3 times in a row the process that ran this prompt, and nothing else, has died;"
                            + " it is not run again");
            assertThat(failure.getRequestId()).isEqualTo("prompts-3-0");
            assertThat(failure.getModel()).isEqualTo("echo");
        });
        assertThat(task.pending()).isZero();
    }

    @Test
    void shouldNotStrikeForADeathBeforeItRanAlone() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.left(1, "normal", 0);
        task.begin();
        task.settle();
        assertThat(task.running()).as("its turn has not come").containsExactly("normal");

        task.dieAndMove();
        task.settle();

        assertThat(task.failures()).isEmpty();
        assertThat(task.results()).isEqualTo(2);
    }

    @Test
    void shouldLetNeighboursGoFirstWhereThereAreStrikes() {
        task.left(0, "poison", 7, 1);
        IntStream.range(1, 4).forEach(i -> task.left(i, "neighbour " + i, 7));
        task.left(4, "normal", 0);
        task.begin();
        for (int i = 0; i < 10; i++) {
            task.settle();
        }

        assertThat(task.submitted()).containsExactly("normal", "neighbour 1", "neighbour 2", "neighbour 3", "poison");
    }

    @Test
    void shouldNotLetStrikesStarveUnderSteadyTraffic() {
        task.engine().holding(text -> text.startsWith("normal"));
        task.left(0, "struck", 7, 1);
        task.begin();
        task.read(1, "normal 1");
        task.settle();
        assertThat(task.running()).containsExactly("normal 1");

        task.process().nanos.addAndGet(Duration.ofSeconds(30).toNanos());
        task.drain();
        task.read(2, "normal 2");
        task.engine().release();
        task.settle();
        assertThat(task.submitted()).containsExactly("normal 1", "struck", "normal 2");
    }

    @Test
    void shouldAlternateWithNormalWork() {
        task.engine().holding(text -> true);
        task.left(0, "suspect 0", 6);
        task.left(1, "suspect 1", 6);
        task.begin();
        task.settle();
        task.read(2, "normal");
        assertThat(task.running()).containsExactly("suspect 0");

        task.process().nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        task.engine().releaseHeld();
        task.settle();
        assertThat(task.running()).as("the turn is over").containsExactly("normal");
        task.read(3, "more");
        assertThat(task.running()).as("as long as the turn took").containsExactly("normal", "more");

        task.process().nanos.addAndGet(Duration.ofSeconds(6).toNanos());
        task.drain();
        task.read(4, "too late");
        assertThat(task.running()).as("the next turn").containsExactly("normal", "more");

        task.engine().release();
        task.settle();
        assertThat(task.submitted()).containsExactly("suspect 0", "normal", "more", "suspect 1", "too late");
    }

    @Test
    void shouldAdoptWhatRunsAloneAndKeepItsTurn() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        assertThat(task.running()).containsExactly("suspect");

        task.moveWithinTheProcess();
        task.read(1, "normal");
        task.settle();
        assertThat(task.running()).as("still alone, and not a second time").containsExactly("suspect");

        task.engine().release();
        task.settle();
        assertThat(task.results()).isEqualTo(2);
        assertThat(task.ids()).hasSize(2);
        assertThat(task.failures()).isEmpty();
    }

    @Test
    void shouldNotStrikeInTheProcessThatRanIt() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        assertThat(task.stored(0).alone()).isTrue();

        task.closeAndExpire();
        task.begin();
        task.drain();

        assertThat(task.stored(0).strikes()).isZero();
        assertThat(task.stored(0).recoveries()).isEqualTo(7);
        task.settle();
        assertThat(task.running()).as("its turn was given back").containsExactly("suspect");
    }

    @Test
    void shouldNotStrikeWhereTheProcessThatRanItLivesAndHasOnlyLostIt() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        UUID owner = task.moveToAnotherProcess();
        task.engine().holding(text -> true);
        task.process().members = other -> Optional.empty();
        task.lookAfterOwners();
        assertThat(task.submitted()).as("not before it is known").isEmpty();
        assertThat(task.stored(0).aloneIn())
                .as("its mark while the group rebalances")
                .contains(owner);

        task.process().members = other -> Optional.of(other.equals(owner));
        task.lookAfterOwners();
        task.settle();

        assertThat(task.stored(0).strikes()).isZero();
        assertThat(task.running()).containsExactly("suspect");
        assertThat(task.stored(0).aloneIn()).contains(task.process().process);
    }

    @Test
    void shouldNotTakeAProcessForDeadThatIsMissingForAMoment() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        UUID owner = task.moveToAnotherProcess();
        task.process().members = other -> Optional.of(false);
        for (int i = 0; i < 5; i++) { // 2.5 s
            task.drain();
            task.process().nanos.addAndGet(Duration.ofMillis(500).toNanos());
            task.process().runLaterTasks();
        }
        task.process().members = other -> Optional.of(other.equals(owner));
        task.lookAfterOwners();

        assertThat(task.stored(0).strikes()).isZero();
    }

    @Test
    void shouldCountADeathOnceThoughTheTaskMovesBeforeItIsKnown() {
        task.engine().holding(text -> true);
        task.left(0, "poison", 5);
        task.begin();
        task.settle();
        UUID owner = task.moveToAnotherProcess();
        task.process().members = other -> Optional.empty();
        task.lookAfterOwners();
        task.handOver();
        task.begin();
        task.drain();
        assertThat(task.stored(0).aloneIn()).contains(owner);
        assertThat(task.stored(0).strikes()).isZero();

        task.engine().holding(text -> true);
        task.lookAfterOwners();
        task.settle();
        assertThat(task.stored(0).strikes()).isEqualTo(1);
        assertThat(task.running()).containsExactly("poison");
    }

    @Test
    void shouldTakeNoTurnWhileTheApplicationDrains() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.left(1, "normal", 0);
        task.begin();
        task.settle();
        task.process().intake().quarantine().stop();
        task.engine().release();
        task.settle();

        assertThat(task.submitted()).containsExactly("normal");
        assertThat(task.stored(0).alone()).isFalse();
        assertThat(task.process().intake().quarantine().waiting()).isEqualTo(1);
    }

    @Test
    void shouldTakeTheMarkBackWhereTheApplicationGoesInGoodOrder() throws InterruptedException {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        assertThat(task.stored(0).alone()).isTrue();

        assertThat(task.process().intake().quarantine().takeMarksBack(Duration.ZERO))
                .isFalse();
        task.drain();
        assertThat(task.process().intake().quarantine().takeMarksBack(Duration.ZERO))
                .isTrue();
        assertThat(task.stored(0).alone()).isFalse();

        task.dieAndMove();
        task.settle();
        assertThat(task.results()).isEqualTo(1);
        assertThat(task.failures()).isEmpty();
    }

    /** A rolling deploy: each instance goes in good order, and the prompt is never done. */
    @Test
    void shouldFailNoPromptForBeingHandedOver() {
        IntStream.range(0, 8).forEach(i -> task.left(i, "patient " + i, 0));
        task.engine().holding(text -> true);
        task.begin();
        for (int handOver = 0; handOver < 5; handOver++) {
            task.settle();
            task.process().intake().quarantine().stop();
            task.handOver();
            task.engine().holding(text -> true);
            task.begin();
        }
        task.engine().holding(text -> false);
        for (int i = 0; i < 10; i++) {
            task.settle();
        }

        assertThat(task.failures()).isEmpty();
        assertThat(task.results()).isEqualTo(8);
    }

    @Test
    void shouldAnswerManySuspectsWithoutStalling() {
        IntStream.range(0, 500).forEach(i -> task.left(i, "suspect " + i, i % 2 == 0 ? 3 : 9));
        task.begin();
        List<Integer> drains = new ArrayList<>();
        while (task.pending() > 0 && drains.size() < 2000) {
            task.drain();
            task.commit();
            drains.add(drains.size());
        }

        assertThat(task.results()).isEqualTo(500);
        // 250 four at a time, 250 with a commit before and after each: 20 ms of drains and commits for each
        assertThat(drains.size()).isLessThan(1200);
    }

    /** Or a prompt that kills the process at once would come back as if for the first time. */
    @Test
    void shouldRunNothingBeforeTheFirstCommitOfALife() {
        try (FencedProducer producer =
                new FencedProducer(new MockProducer<>(), new TopicPartition("fence", 0), task.process().pacer)) {
            assertThat(producer).isNotNull();
            task.left(0, "restored", 0);
            task.begin();
            task.drain();
            task.read(1, "new");
            task.kafka().resetCommit();
            task.drain();
            assertThat(task.submitted()).isEmpty();
            assertThat(task.kafka().committed()).as("asks for it").isTrue();

            task.commit();
            task.drain();
            assertThat(task.submitted()).containsExactly("restored", "new");
            task.read(2, "later");
            assertThat(task.submitted()).as("not held up").contains("later");
        }
    }

    /** Restored prompts that are never done must not hide one that kills the process before its entry is committed. */
    @Test
    void shouldCommitEachNewPromptFirstWhilePromptsArePendingThatWereRestoredTimeAndAgain() {
        try (FencedProducer producer =
                new FencedProducer(new MockProducer<>(), new TopicPartition("fence", 0), task.process().pacer)) {
            assertThat(producer).isNotNull();
            task.engine().holding(text -> text.startsWith("long"));
            task.left(0, "long", 1);
            task.begin();
            task.settle();
            assertThat(task.submitted()).containsExactly("long");

            task.read(1, "new");
            task.kafka().resetCommit();
            task.drain();
            assertThat(task.submitted()).containsExactly("long");
            assertThat(task.kafka().committed()).as("asks for it").isTrue();
            task.commit();
            task.read(2, "next");
            task.drain();
            assertThat(task.submitted()).as("each waits for its own").containsExactly("long", "new");

            task.commit();
            task.engine().release();
            task.settle();
            task.read(3, "later");
            assertThat(task.submitted()).as("nobody waits any more").containsExactly("long", "new", "next", "later");
        }
    }
}
