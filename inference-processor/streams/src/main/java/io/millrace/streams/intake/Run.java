package io.millrace.streams.intake;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PromptDigest;
import io.millrace.streams.records.PromptIdentity;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One request in an engine. Its owner can change: a task that closes may be back in this process a moment later, and what
 * was generated until then is not thrown away.
 *
 * <pre>
 *          ┌───── another life adopts it ─────┐
 *          ▼                                  │
 *  ──► OWNED ───── its lease closes ─────► ORPHANED
 *          │                                  │ grace over, another prompt at its key,
 *          │ refused by the engine,           │ room needed, application closes,
 *          │ application closes               │ refused by the engine
 *          └──────────────► ENDED ◄───────────┘
 * </pre>
 *
 * A completion may come in any state, and only the first counts. OWNED: it goes to the owner. ORPHANED: it is kept for the
 * next owner. ENDED: it is dropped. So each owner gets it once at most, and none gets it that the run was taken from.
 *
 * <p>Threads: engine threads complete; stream threads orphan and adopt; intake threads start and expire. Guards: the
 * run's monitor, under which no engine is called.
 */
final class Run {

    /** Whose it is. */
    enum State {
        OWNED,
        ORPHANED,
        ENDED
    }

    /** What engines preempt first and admit last. */
    static final int ORPHAN_PRIORITY = Integer.MAX_VALUE;

    private final String id;
    private final PendingKey key;
    private final String model;
    private final InferenceEngine engine;
    private final PromptIdentity prompt;
    private final int priority;
    private final long admittedAtMs;

    private State state = State.OWNED;
    private TaskLease lease;

    /** Null once orphaned: what it has of the prompt record need not be kept. */
    private @Nullable Work owner;

    /** Null until orphaned for the first time. */
    private @Nullable PromptDigest digest;

    private @Nullable Completion completion;

    /** Why a command cancelled it. */
    private @Nullable String cancelledBy;

    /** @param priority as the prompt asks for it */
    Run(Work owner, String model, InferenceEngine engine, PromptIdentity prompt, int priority) {
        this.id = owner.engineId();
        this.key = owner.key();
        this.model = model;
        this.engine = engine;
        this.prompt = prompt;
        this.priority = priority;
        this.admittedAtMs = owner.prompt().admittedAtMs();
        this.owner = owner;
        this.lease = owner.lease();
    }

    /** The engine's id for it: that of its first owner. */
    String id() {
        return id;
    }

    PendingKey key() {
        return key;
    }

    String model() {
        return model;
    }

    InferenceEngine engine() {
        return engine;
    }

    /** What outputs repeat of the prompt. */
    PromptIdentity prompt() {
        return prompt;
    }

    /** When its prompt was admitted, by its first owner; milliseconds since 1970-01-01 UTC. */
    long admittedAtMs() {
        return admittedAtMs;
    }

    /** A command cancels it: should the engine's completion say so, it is to say this. The engine is the caller's to tell. */
    synchronized void cancelledBy(String message) {
        cancelledBy = message;
    }

    /** The completion as it is to be told: the engine knows that it was cancelled, not by whom. */
    synchronized Completion explained(Completion done) {
        if (cancelledBy == null
                || !(done instanceof Completion.Failed failed)
                || failed.code() != FailureCode.CANCELLED) {
            return done;
        }
        return new Completion.Failed(
                failed.requestId(), failed.code(), cancelledBy, failed.partialText(), failed.usage(), failed.timings());
    }

    synchronized State state() {
        return state;
    }

    /** The engine has completed it. Answers whose the ending is now; empty where it is kept, dropped or not the first. */
    synchronized Optional<Work> complete(Completion done) {
        if (completion != null || state == State.ENDED) {
            return Optional.empty();
        }
        completion = done;
        return state == State.OWNED ? Optional.ofNullable(owner) : Optional.empty();
    }

    /** The engine did not take it. Answers who still wants it to run, which may be another than the one that asked. */
    synchronized Optional<Work> refuse() {
        Optional<Work> wanting = state == State.OWNED ? Optional.ofNullable(owner) : Optional.empty();
        end();
        return wanting;
    }

    /** Its owner's lease is closed. Answers whether it was that owner's until now. */
    synchronized boolean orphan(TaskLease closed) {
        if (state != State.OWNED || lease != closed || owner == null) {
            return false;
        }
        if (digest == null) {
            digest = PromptDigest.of(owner.prompt());
        }
        owner = null;
        state = State.ORPHANED;
        return true;
    }

    /**
     * Gives an orphan to a new owner.
     *
     * @param heirsDigest of the new owner's prompt
     * @return what it has come to; empty where it is no orphan any more, or one of another prompt
     */
    synchronized Optional<Adoption> adopt(Work heir, PromptDigest heirsDigest) {
        if (state != State.ORPHANED || !heirsDigest.equals(digest)) {
            return Optional.empty();
        }
        owner = heir;
        lease = heir.lease();
        state = State.OWNED;
        return Optional.of(new Adoption(this, Optional.ofNullable(completion)));
    }

    /** Ends an orphan that nobody took over. Answers whether it was one, and of that lease. */
    synchronized boolean expire(TaskLease of) {
        if (state != State.ORPHANED || lease != of) {
            return false;
        }
        end();
        return true;
    }

    /** Ends it in any state: what comes of it is not wanted any more. */
    synchronized void end() {
        state = State.ENDED;
        owner = null;
    }

    /** Whose it is, or was until it became an orphan. */
    synchronized TaskLease lease() {
        return lease;
    }

    synchronized boolean isCompleted() {
        return completion != null;
    }

    private synchronized int wantedPriority() {
        return state == State.OWNED ? priority : ORPHAN_PRIORITY;
    }

    /**
     * Tells the engine how the run is to be ranked now. Of several threads that call it for changes close to each other
     * the last one sees to it that the last change holds.
     */
    void rank() {
        int told;
        do {
            told = wantedPriority();
            engine.setPriority(id, told);
        } while (told != wantedPriority());
    }

    /** By its key, not by its address: whoever goes through all runs does so in an order that can be had again. */
    @Override
    public int hashCode() {
        return key.hashCode();
    }

    @Override
    public String toString() {
        return "run(id=" + id + ", model=" + model + ", state=" + state() + ")";
    }

    /**
     * A change of owner.
     *
     * @param completion where it has completed: it is the new owner's, who gets no other
     */
    record Adoption(Run run, Optional<Completion> completion) {

        /** Tokens that need not be generated again, as far as the engine can tell. */
        int generatedTokens() {
            return completion.map(Adoption::tokens).orElseGet(() -> run.engine.generatedTokens(run.id));
        }

        private static int tokens(Completion completion) {
            return switch (completion) {
                case Completion.Completed done -> done.usage().completionTokens();
                case Completion.Failed failed ->
                    failed.usage().map(Completion.Usage::completionTokens).orElse(0);
            };
        }
    }
}
