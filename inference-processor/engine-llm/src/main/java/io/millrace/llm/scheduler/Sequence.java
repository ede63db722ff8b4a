package io.millrace.llm.scheduler;

import io.millrace.llm.kvcache.KvBlocks;
import java.util.Arrays;
import java.util.Comparator;

/**
 * One prompt and the answer that grows behind it, as token ids. Three counts are kept apart:
 *
 * <pre>
 *   computed ≤ scheduled ≤ known + drawing
 *
 *   known      ids that the host has: the prompt and the tokens drawn and collected
 *   drawing    tokens that steps in flight draw, which only the device knows yet
 *   scheduled  positions that a launched step has computed or will
 *   computed   positions whose keys and values are in the cache: their step was collected
 * </pre>
 *
 * <p>Threads: the engine thread owns it.
 */
public final class Sequence {

    /** Most important first: lower priority number, then earlier arrival. A total order: arrivals are unique. */
    static final Comparator<Sequence> BY_IMPORTANCE =
            Comparator.comparingInt(Sequence::priority).thenComparingLong(Sequence::arrival);

    private final long arrival;
    private final String tenant;
    private final int promptCount;
    private final int maxLength;
    private final KvBlocks blocks;

    private SequenceState state = SequenceState.WAITING;
    private int priority; // changed only while no ordered collection holds the sequence
    private int[] tokens; // [capacity], the first known are valid
    private int known;
    private int drawing;
    private int scheduled;
    private int computed;
    private int slot; // meaningful while RUNNING
    private int preemptions;
    private int failuresAlone; // since the last token

    Sequence(long arrival, int priority, String tenant, int[] prompt, int maxLength, KvBlocks blocks) {
        this.arrival = arrival;
        this.priority = priority;
        this.tenant = tenant;
        this.tokens = prompt.clone();
        this.promptCount = prompt.length;
        this.known = prompt.length;
        this.maxLength = maxLength;
        this.blocks = blocks;
    }

    /** Unique among the scheduler's sequences, ascending. */
    public long arrival() {
        return arrival;
    }

    /** Lower is earlier. */
    public int priority() {
        return priority;
    }

    /** Tenants take turns. */
    public String tenant() {
        return tenant;
    }

    /** Where it is in its life. */
    public SequenceState state() {
        return state;
    }

    /** Tokens of the prompt. */
    public int promptCount() {
        return promptCount;
    }

    /** Tokens of the answer that the host has. */
    public int answerCount() {
        return known - promptCount;
    }

    /** Tokens, prompt and answer, that the host has. */
    public int known() {
        return known;
    }

    /** Positions whose keys and values are in the cache. */
    public int computed() {
        return computed;
    }

    /** Positions that a launched step has computed or will. */
    public int scheduled() {
        return scheduled;
    }

    /** Times it lost its blocks. */
    public int preemptions() {
        return preemptions;
    }

    /**
     * Notes that a step of this sequence alone failed on a device that works.
     *
     * @return how often that happened since its last token
     */
    public int failedAlone() {
        return ++failuresAlone;
    }

    /** Whether no further token fits: the answer is as long as it may be. */
    public boolean atMaxLength() {
        return known >= maxLength;
    }

    /** Known ids of positions {@code [from, to)}. */
    public int[] tokens(int from, int to) {
        assert from <= to && to <= known : from + " to " + to + " of " + known;
        return Arrays.copyOfRange(tokens, from, to);
    }

    /** Adds a token that was drawn and collected. */
    public void append(int token) {
        assert !atMaxLength() : known + " of " + maxLength;
        if (known == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(maxLength, 2 * known));
        }
        tokens[known++] = token;
        failuresAlone = 0;
    }

    void setPriority(int newPriority) {
        priority = newPriority;
    }

    KvBlocks blocks() {
        return blocks;
    }

    int slot() {
        assert state == SequenceState.RUNNING : state;
        return slot;
    }

    /** Positions that can be scheduled now; none once the token in flight is the last that fits. */
    int remaining() {
        return known + drawing >= maxLength ? 0 : known + drawing - scheduled;
    }

    /**
     * Notes that the next {@code count} positions go into a step.
     *
     * @return whether they are the last ones, so that the step draws the token after them
     */
    boolean schedule(int count) {
        assert count >= 1 && count <= remaining() : count + " of " + remaining();
        scheduled += count;
        boolean draws = scheduled == known + drawing;
        if (draws) {
            drawing++;
        }
        return draws;
    }

    /** A step with this item was collected. The drawn token, if any, is appended next. */
    void collected(BatchPlan.Item item) {
        assert computed == item.start() : computed + ", " + item;
        computed += item.count();
        if (item.draws()) {
            drawing--;
        }
    }

    /** Forgets every step in flight: what is computed stays. */
    void rollBack() {
        scheduled = computed;
        drawing = 0;
    }

    void start(int inSlot) {
        become(SequenceState.RUNNING);
        slot = inSlot;
    }

    void preempt() {
        become(SequenceState.PREEMPTED);
        preemptions++;
        releaseAll();
    }

    void finish() {
        become(SequenceState.FINISHED);
        releaseAll();
    }

    private void releaseAll() {
        blocks.release();
        computed = 0;
        rollBack();
    }

    private void become(SequenceState next) {
        if (!state.mayBecome(next)) {
            throw new IllegalStateException("state=" + state + ", expected=one that may become " + next);
        }
        state = next;
    }

    @Override
    public String toString() {
        return "Sequence[" + arrival + ", " + state + ", known=" + known + ", drawing=" + drawing + ", scheduled="
                + scheduled + ", computed=" + computed + "]";
    }
}
