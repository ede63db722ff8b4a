package io.millrace.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.FailureCode;
import io.millrace.streams.config.Ordering;
import java.io.File;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts that wait for others of their key, or for a RESUME, or for both. */
class OrderAndPauseTest {

    private final TaskHarness task;

    OrderAndPauseTest(@TempDir File directory) {
        task = new TaskHarness(directory, Ordering.KEY);
    }

    @AfterEach
    void close() {
        task.close();
    }

    @Test
    void shouldRunRestoredPromptsOfAKeyOneAfterTheOther() {
        task.engine().holding(text -> true);
        task.leftOfJob(0, "a", "a0", 0);
        task.leftOfJob(1, "b", "b0", 0);
        task.leftOfJob(2, "a", "a1", 0);
        task.begin();
        task.settle();
        assertThat(task.submitted()).containsExactly("a0", "b0");
        assertThat(task.stored(0).recoveries()).isEqualTo(1);
        assertThat(task.stored(2).recoveries()).as("it did not run before").isZero();

        task.engine().releaseHeld();
        task.settle();

        assertThat(task.submitted()).containsExactly("a0", "b0", "a1");
        task.engine().release();
        task.settle();
        assertThat(task.results()).isEqualTo(3);
        assertThat(task.process().gate.pending()).isZero();
    }

    @Test
    void shouldKeepTheOrderWhenTheTaskMovesWithinTheProcess() {
        task.engine().holding(text -> true);
        task.leftOfJob(0, "a", "a0", 0);
        task.leftOfJob(1, "a", "a1", 0);
        task.begin();
        task.settle();

        task.moveWithinTheProcess();
        task.settle();
        assertThat(task.submitted()).as("adopted, and nobody before its turn").containsExactly("a0");

        task.engine().release();
        task.settle();
        assertThat(task.submitted()).containsExactly("a0", "a1");
        assertThat(task.results()).isEqualTo(2);
    }

    @Test
    void shouldGoOnWithAKeyWhenOneOfItFails() {
        task.leftOfJob(0, "a", "fail", 0);
        task.leftOfJob(1, "a", "a1", 0);
        task.begin();
        task.settle();

        assertThat(task.failures()).hasSize(1);
        assertThat(task.results()).isEqualTo(1);
        assertThat(task.pending()).isZero();
    }

    /** Nobody ordered them when it ran before the other. */
    @Test
    void shouldLetAPromptThatRanAloneWaitForItsTurn() {
        task.leftOfJob(0, "k", "first", 0);
        task.leftAlone(1, "second", UUID.randomUUID());
        task.command(ControlAction.PAUSE);
        task.begin();
        task.lookAfterOwners();
        task.settle();
        assertThat(task.stored(1).strikes()).as("its owner is dead").isEqualTo(1);
        assertThat(task.submitted()).isEmpty();

        task.command(ControlAction.RESUME);
        task.settle();
        assertThat(task.submitted()).containsExactly("first", "second");
        assertThat(task.results()).isEqualTo(2);
    }

    @Test
    void shouldCountAsPausedWhatComesBehindAPausedPrompt() {
        task.leftOfJob(0, "k", "first", 0);
        task.begin();
        task.command(ControlAction.PAUSE);
        task.settle();
        task.read(1, "second");
        task.settle();
        assertThat(task.process().gate.paused()).isEqualTo(2);
        assertThat(task.process().gate.pending()).isZero();

        task.command(ControlAction.RESUME);
        task.settle();
        assertThat(task.submitted()).containsExactly("first", "second");
        assertThat(task.process().gate.paused()).isZero();
    }

    @Test
    void shouldCountAsPausedWhatWaitsBehindAPausedPrompt() {
        task.command(ControlAction.PAUSE);
        task.leftOfJob(0, "a", "a0", 0);
        task.leftOfJob(1, "a", "a1", 0);
        task.begin();
        task.settle();
        task.read(2, "another key, of no job");
        task.settle();
        assertThat(task.process().gate.paused()).isEqualTo(2);
        assertThat(task.process().gate.pending()).isZero();
        assertThat(task.results()).isEqualTo(1);

        task.command(ControlAction.RESUME);
        task.settle();

        assertThat(task.results()).isEqualTo(3);
        assertThat(task.process().gate.paused()).isZero();
        assertThat(task.process().gate.pending()).isZero();
        assertThat(task.process().gate.pendingBytes()).isZero();
    }

    @Test
    void shouldEndAPausedKeyInOrderWhenItIsCancelled() {
        task.command(ControlAction.PAUSE);
        for (int i = 0; i < 5; i++) {
            task.leftOfJob(i, "a", "a" + i, 0);
        }
        task.begin();
        task.settle();

        task.command(ControlAction.CANCEL);
        task.settle();

        assertThat(task.failures())
                .extracting(failure -> failure.getSource().getOffset())
                .containsExactly(0L, 1L, 2L, 3L, 4L);
        assertThat(task.failures())
                .allSatisfy(failure -> assertThat(failure.getCode()).isEqualTo(FailureCode.CANCELLED));
        assertThat(task.process().gate.paused()).isZero();
        assertThat(task.process().gate.pending()).isZero();
        assertThat(task.pending()).isZero();
    }

    /** Whoever has the turn to run alone keeps all others out of the engines: not while it only waits for a RESUME. */
    @Test
    void shouldNotStopTheOthersForASuspectThatIsPaused() {
        task.command(ControlAction.PAUSE);
        task.leftOfJob(0, "a", "suspect", 6);
        task.begin();
        task.settle();
        task.read(1, "normal");
        task.settle();
        assertThat(task.submitted()).containsExactly("normal");
        assertThat(task.results()).isEqualTo(1);
        assertThat(task.stored(0).alone()).as("its mark is taken off").isFalse();

        task.command(ControlAction.RESUME);
        task.settle();

        assertThat(task.submitted()).containsExactly("normal", "suspect");
        assertThat(task.results()).isEqualTo(2);
        assertThat(task.pending()).isZero();
    }

    @Test
    void shouldRunSuspectsThatWerePausedAFewAtATimeAllTheSame() {
        task.engine().holding(text -> true);
        task.command(ControlAction.PAUSE);
        for (int i = 0; i < 10; i++) {
            task.leftOfJob(i, "key-" + i, "suspect " + i, 2);
        }
        task.begin();
        task.settle();
        assertThat(task.process().gate.paused())
                .as("each gives its place to the next")
                .isEqualTo(10);

        task.command(ControlAction.RESUME);
        task.settle();

        assertThat(task.submitted()).containsExactly("suspect 0", "suspect 1", "suspect 2", "suspect 3");
        task.engine().release();
        task.settle();
        assertThat(task.results()).isEqualTo(10);
    }
}
