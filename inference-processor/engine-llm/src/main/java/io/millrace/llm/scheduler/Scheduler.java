package io.millrace.llm.scheduler;

import io.millrace.llm.kvcache.BlockPool;
import io.millrace.llm.kvcache.KvBlocks;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Decides which tokens the next step computes. Running sequences go first, each with its next token; what is left of
 * max_num_batched_tokens goes to prompts, in the waiting queue's order. After memory was exhausted steps are smaller for a while
 * ({@link StepBudget}).
 *
 * <p>Blocks. A sequence starts when each KV group's pool holds the blocks of all its tokens and one block more for each sequence that
 * runs (the reserve): each of those can then go block_size tokens on before anybody is preempted, so admission does not
 * cause the next preemption. When a running sequence needs a block and none is free, the least important running one
 * loses its own, and is computed again later.
 *
 * <p>Nobody starves among equals in priority: the queue's head is never passed over, the most important running sequence
 * is never preempted and gets a token in each step, and one sequence alone always fits ({@link SchedulerLimits}). Between
 * priorities the order is strict: the higher number waits for as long as the lower one keeps coming.
 *
 * <p>Bounds: a plan has at most max_num_batched_tokens tokens of at most max_num_seqs sequences; running sequences hold at
 * most num_blocks blocks in each KV group; the waiting queue holds what {@link #enqueue} was given, which its caller bounds, and at most
 * max_num_seqs preempted ones.
 *
 * <p>Threads: the engine thread owns it.
 */
public final class Scheduler {

    private final SchedulerLimits limits;
    private final List<BlockPool> pools; // [kv_groups], shared by all sequences
    private final WaitingQueue waiting = new WaitingQueue();
    private final NavigableSet<Sequence> running = new TreeSet<>(Sequence.BY_IMPORTANCE); // ≤ max_num_seqs
    private final BitSet usedSlots; // [max_num_seqs]
    private final StepBudget budget;
    private long arrivals;
    private long preemptions;

    public Scheduler(SchedulerLimits limits) {
        this.limits = limits;
        pools = Stream.generate(() -> new BlockPool(limits.numBlocks()))
                .limit(limits.kvGroups())
                .toList();
        usedSlots = new BitSet(limits.maxNumSeqs());
        budget = new StepBudget(limits);
    }

    /** Sequences that hold blocks. */
    public int runningCount() {
        return running.size();
    }

    /** Sequences that wait for a place, preempted ones among them. */
    public int waitingCount() {
        return waiting.size();
    }

    /** Preemptions since the start. */
    public long preemptions() {
        return preemptions;
    }

    /** What a step may be at most. */
    public StepBudget budget() {
        return budget;
    }

    /** Fraction of the KV blocks in use, 0 to 1, of the group that has most in use. */
    public double kvCacheUsage() {
        int used = pools.stream().mapToInt(BlockPool::usedCount).max().orElse(0);
        return (double) used / limits.numBlocks();
    }

    /**
     * Queues a prompt.
     *
     * @param prompt token ids, at least one
     * @param maxLength tokens of prompt and answer together, more than the prompt's, at most max_model_len
     */
    public Sequence enqueue(int priority, String tenant, int[] prompt, int maxLength) {
        if (prompt.length < 1 || prompt.length >= maxLength || maxLength > limits.maxModelLen()) {
            throw new IllegalArgumentException("prompt_tokens=" + prompt.length + ", max_length=" + maxLength
                    + ", expected=1 to max_length - 1 of at most " + limits.maxModelLen());
        }
        KvBlocks blocks = new KvBlocks(pools, limits.blockSize());
        Sequence sequence = new Sequence(arrivals++, priority, tenant, prompt, maxLength, blocks);
        waiting.add(sequence);
        return sequence;
    }

    /**
     * Plans the next step and counts its tokens as scheduled. Empty when nothing can run: no sequence is here, or each waits
     * for its last token in flight.
     */
    public BatchPlan plan() {
        Draft draft = new Draft(budget, limits.prefillMode());
        long preemptionsBefore = preemptions;
        List<Sequence> candidates = List.copyOf(running);
        for (Sequence sequence : candidates) {
            if (sequence.state() == SequenceState.RUNNING && sequence.remaining() == 1) {
                decode(sequence, draft);
            }
        }
        boolean allPlanned = true;
        for (Sequence sequence : candidates) { // a prompt not yet through has more than one token left
            if (sequence.state() == SequenceState.RUNNING && sequence.remaining() > 1) {
                allPlanned &= draft.addChunk(sequence);
            }
        }
        if (allPlanned && preemptions == preemptionsBefore) {
            startWaiting(draft);
        }
        return draft.plan();
    }

    /**
     * Plans items of a failed step again, with no step in flight: the way to find out which of its sequences was at fault.
     *
     * @param items current ones, rolled back; their blocks are held since they were planned
     */
    public BatchPlan planAgain(List<BatchPlan.Item> items) {
        Draft draft = new Draft(budget, limits.prefillMode());
        items.forEach(item -> draft.add(item.sequence(), item.count()));
        return draft.plan();
    }

    /**
     * Plans the least of steps, one token of no request, to see whether the device works at all. It takes a slot and a block of each
     * KV group until {@link #endProbe}; whoever calls has just requeued a sequence, so they are there.
     */
    public BatchPlan planProbe(int token) {
        KvBlocks blocks = new KvBlocks(pools, limits.blockSize());
        Sequence probe = new Sequence(arrivals++, 0, "", new int[] {token}, 2, blocks);
        occupySlot(probe);
        Draft draft = new Draft(budget, limits.prefillMode());
        draft.add(probe, 1);
        return draft.plan();
    }

    /** Gives back what a probe took. */
    public void endProbe(BatchPlan plan) {
        Sequence probe = plan.items().getFirst().sequence();
        usedSlots.clear(probe.slot());
        probe.finish();
    }

    /** Takes a running sequence's slot and blocks; it waits to compute its tokens again. */
    public void requeue(Sequence sequence) {
        leaveSlot(sequence);
        sequence.preempt();
        waiting.add(sequence);
        preemptions++;
    }

    /** {@link #requeue} of every running sequence. */
    public void requeueAll() {
        List.copyOf(running).forEach(this::requeue);
    }

    /**
     * Notes that an item's step was collected.
     *
     * @return whether the item still counts; if not, its sequence finished or was preempted meanwhile, and what the step drew
     *     is void
     */
    public boolean collected(BatchPlan.Item item) {
        if (!isCurrent(item)) {
            return false;
        }
        item.sequence().collected(item);
        return true;
    }

    /** Whether an item's sequence still runs as it did when the item was planned. */
    public boolean isCurrent(BatchPlan.Item item) {
        Sequence sequence = item.sequence();
        return sequence.state() == SequenceState.RUNNING && sequence.preemptions() == item.incarnation();
    }

    /** Forgets an item whose step failed, and all later ones of its sequence: its tokens can be planned again. */
    public void rollBack(BatchPlan.Item item) {
        if (isCurrent(item)) {
            item.sequence().rollBack();
        }
    }

    /** Takes a sequence out, wherever it is; its slot and blocks are free. */
    public void finish(Sequence sequence) {
        switch (sequence.state()) {
            case RUNNING -> leaveSlot(sequence);
            case WAITING, PREEMPTED -> waiting.remove(sequence);
            case FINISHED -> throw new IllegalStateException(sequence + ", expected=a sequence that is not finished");
        }
        sequence.finish();
    }

    /** Gives a sequence that is not finished another place: among those that wait, or in the order of preemption. */
    public void setPriority(Sequence sequence, int priority) {
        switch (sequence.state()) {
            case RUNNING -> {
                running.remove(sequence);
                sequence.setPriority(priority);
                running.add(sequence);
            }
            case WAITING, PREEMPTED -> {
                waiting.remove(sequence);
                sequence.setPriority(priority);
                waiting.add(sequence);
            }
            case FINISHED -> throw new IllegalStateException(sequence + ", expected=a sequence that is not finished");
        }
    }

    /** Plans the next token. Whoever loses blocks for it comes later in {@code running} and is in no draft yet. */
    private void decode(Sequence sequence, Draft draft) {
        while (!sequence.blocks().growTo(sequence.scheduled() + 1)) {
            Sequence victim = running.last();
            requeue(victim);
            if (victim == sequence) {
                return;
            }
        }
        draft.add(sequence, 1);
    }

    private void startWaiting(Draft draft) {
        while (running.size() < budget.sequences()) {
            Optional<Sequence> head = waiting.peek();
            if (head.isEmpty() || draft.chunk(head.get()) == 0 || !hasBlocksFor(head.get())) {
                return;
            }
            waiting.removeFirst();
            start(head.get());
            draft.addChunk(head.get());
        }
    }

    private boolean hasBlocksFor(Sequence sequence) {
        int reserve = running.size();
        return sequence.blocks().canGrowTo(sequence.known(), reserve);
    }

    private void start(Sequence sequence) {
        occupySlot(sequence);
        running.add(sequence);
    }

    private void occupySlot(Sequence sequence) {
        int slot = usedSlots.nextClearBit(0);
        usedSlots.set(slot);
        sequence.start(slot);
        boolean grown = sequence.blocks().growTo(sequence.known());
        assert grown : sequence;
    }

    private void leaveSlot(Sequence sequence) {
        usedSlots.clear(sequence.slot());
        running.remove(sequence);
    }
}
