package io.millrace.streams.topology;

import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.Quarantine;
import io.millrace.streams.intake.Work;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.Suspicion;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One task's prompts that are suspected of killing the process, on their way to intake: a few at a time, or alone.
 *
 * <pre>
 *  alone:  WAITING ─► TURN ─────────► MARKED ──────────► OFFERED ─► ended
 *                     others leave    mark committed?    runs
 *                     the engines
 * </pre>
 *
 * The mark is in the changelog before the prompt runs. Whoever finds one in a restored store knows that the process that
 * wrote it has died, with nothing but this prompt in its engines.
 *
 * <p>Threads: the task's stream thread only. Bound: the task's pending prompts, each of which is in one place here.
 */
final class QuarantineLane {

    private static final Logger LOG = LoggerFactory.getLogger(QuarantineLane.class);

    private final Intake intake;
    private final Quarantine quarantine;
    private final CommitDebt commits;
    private final Consumer<Work> put;
    private final IntSupplier pending;

    /** Wait for one of the few places. */
    private final ArrayDeque<Work> few = new ArrayDeque<>();

    /** Have one of the few places. */
    private final Set<PendingKey> placed = new HashSet<>();

    /** Wait for a turn. */
    private final Map<Quarantine.Suspect, Work> alone = new HashMap<>();

    private @Nullable Turn turn;

    private enum Step {
        TURN,
        MARKED,
        OFFERED,
        ENDED,
        TAKEN_BACK
    }

    /**
     * Whose turn it is.
     *
     * @param commits of this thread when the mark was written
     */
    private record Turn(Work work, Step step, long commits) {}

    /**
     * @param put writes a prompt's entry to the store
     * @param pending prompts pending in the instance
     */
    QuarantineLane(Intake intake, CommitDebt commits, Consumer<Work> put, IntSupplier pending) {
        this.intake = intake;
        this.quarantine = intake.quarantine();
        this.commits = commits;
        this.put = put;
        this.pending = pending;
    }

    /** Takes a suspect, to be offered when it may run. */
    void add(Work work) {
        if (Suspicion.of(work.prompt()) == Suspicion.QUARANTINED) {
            few.addLast(work);
        } else {
            alone.put(quarantine.await(work), work);
        }
    }

    /** Takes a suspect that runs already. */
    void addRunning(Work work) {
        if (work.prompt().alone()) {
            quarantine.marked(work.key());
            turn = new Turn(work, Step.OFFERED, commits.commits());
        } else if (Suspicion.of(work.prompt()) == Suspicion.QUARANTINED) {
            quarantine.takePlaceRunning();
            placed.add(work.key());
        }
    }

    /** Offers whom it may. Called at each drain. */
    void advance() {
        offerFew();
        Turn current = turn;
        if (current == null) {
            takeTurn();
            return;
        }
        switch (current.step()) {
            case TURN -> markWhenQuiet(current);
            case MARKED -> offerWhenCommitted(current);
            case OFFERED -> takeBackWhenAsked(current);
            case ENDED -> giveBackWhenCommitted(current);
            case TAKEN_BACK -> {}
        }
    }

    private void offerFew() {
        while (!few.isEmpty() && quarantine.takePlace()) {
            Work next = few.getFirst();
            if (!intake.offer(next)) {
                quarantine.leavePlace();
                return;
            }
            few.removeFirst();
            placed.add(next.key());
        }
    }

    private void takeTurn() {
        for (Map.Entry<Quarantine.Suspect, Work> entry : alone.entrySet()) {
            if (quarantine.takeTurn(entry.getKey(), pending.getAsInt())) {
                alone.remove(entry.getKey());
                turn = new Turn(entry.getValue(), Step.TURN, 0);
                return;
            }
        }
    }

    private void markWhenQuiet(Turn current) {
        Work work = current.work();
        if (quarantine.isStopping()) {
            turn = null;
            alone.put(quarantine.await(work), work);
            quarantine.giveTurnBack(work.key());
        } else if (quarantine.isQuiet()) {
            Work marked = work.with(work.prompt().markedAlone(quarantine.process()));
            quarantine.marked(work.key());
            put.accept(marked);
            turn = new Turn(marked, Step.MARKED, commits.commits());
            commits.owe();
        }
    }

    /** A commit that was asked for need not have come: during a rebalance there is none. */
    private void offerWhenCommitted(Turn current) {
        if (takeBackWhenAsked(current)) {
            return;
        }
        if (commits.commits() == current.commits()) {
            commits.owe();
        } else if (intake.offer(current.work())) {
            LOG.info(
                    "{} runs alone: recoveries={}, strikes={}",
                    current.work().origin().id(),
                    current.work().prompt().recoveries(),
                    current.work().prompt().strikes());
            turn = new Turn(current.work(), Step.OFFERED, current.commits());
        }
    }

    private boolean takeBackWhenAsked(Turn current) {
        if (!quarantine.isTakingBack()) {
            return false;
        }
        put.accept(current.work().with(current.work().prompt().unmarked()));
        quarantine.unmarked(current.work().key());
        turn = new Turn(current.work(), Step.TAKEN_BACK, current.commits());
        commits.owe();
        return true;
    }

    /** A prompt of the task has ended; it need not be a suspect. */
    void ended(PendingKey key) {
        if (placed.remove(key)) {
            quarantine.leavePlace();
        }
        if (turn != null && turn.work().key().equals(key)) {
            Turn ended = new Turn(turn.work(), Step.ENDED, commits.commits());
            turn = ended;
            giveBackWhenCommitted(ended);
        }
    }

    /** Whether someone has the turn, so that {@link #advance} has to be called again. */
    boolean hasTurn() {
        return turn != null;
    }

    /** Until its ending is committed its mark is in the store: whoever brought the process down now would do so in its name. */
    private void giveBackWhenCommitted(Turn current) {
        if (commits.isCommitted(current.commits())) {
            turn = null;
            quarantine.unmarked(current.work().key());
            quarantine.giveTurnBack(current.work().key());
        }
    }

    /**
     * A command holds a prompt back, perhaps for days: others get its place or turn. Once it is held no more it is added
     * again.
     */
    void paused(PendingKey key) {
        if (placed.remove(key)) {
            quarantine.leavePlace();
        }
        Turn current = turn;
        if (current != null && current.work().key().equals(key)) {
            turn = null;
            put.accept(current.work().with(current.work().prompt().unmarked()));
            quarantine.unmarked(key);
            quarantine.giveTurnBack(key);
            commits.owe();
        }
    }

    /** The task closes. Its lease is closed by now, so that nothing new of it enters an engine. */
    void close() {
        few.clear();
        alone.keySet().forEach(quarantine::leaveQueue);
        alone.clear();
        placed.forEach(key -> quarantine.leavePlace());
        placed.clear();
        Turn current = turn;
        if (current != null) {
            turn = null;
            quarantine.unmarked(current.work().key());
            quarantine.abandonTurn(current.work().key());
        }
    }
}
