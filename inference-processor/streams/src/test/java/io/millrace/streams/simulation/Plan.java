package io.millrace.streams.simulation;

import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.EnumSet;
import java.util.Set;

/**
 * One run's shape, drawn from its seed. Each kind of fault is on in some runs and off in others, since faults that are always
 * there hide each other. Times are virtual; only their order to one another matters, so they are short.
 *
 * @param slots places for processes
 * @param prompts how many are sent
 * @param faultsNanos how long faults go on; after that everything has to come to rest
 * @param sessionNanos without a heartbeat for so long a member is out of the group
 * @param transactionNanos an open transaction is aborted after so long
 * @param maxPollNanos without a poll for so long a member leaves the group; also how long a rebalance waits for members
 */
record Plan(
        int partitions,
        int slots,
        int prompts,
        long faultsNanos,
        long sessionNanos,
        long transactionNanos,
        long maxPollNanos,
        long pollNanos,
        long commitNanos,
        int maxPollRecords,
        int maxPending,
        int maxPendingPerPartition,
        int stepsInFlight,
        SchedulerLimits engine,
        int maxWaiting,
        long orphanGraceNanos,
        Set<Fault> faults) {

    /** Kinds of fault. */
    enum Fault {
        /** A process ends, in the middle of anything. */
        CRASH,
        /** A process stands still and goes on later. */
        STOP,
        /** A process has no network for a while. */
        CUT,
        /** The end of a transaction is asked for, and no answer comes. */
        LOST_ANSWER,
        /** A thread stands still while the others of its process go on. */
        PAUSE,
        /** Processes come and go in good order. */
        SCALE,
        /** The group gives a task to another member without need. */
        RESHUFFLE,
        /** The schema registry does not answer, for prompts or for outputs. */
        REGISTRY,
        /** A step of the engine fails, though no prompt is at fault. */
        STEP,
        /** A step needs more memory than there is. */
        MEMORY,
        /** Prompts are cancelled, paused and resumed. */
        COMMANDS,
        /** Prompts that are wrong in some way. */
        BAD_PROMPTS,
        /** Prompts that fail their steps. */
        POISON,
        /** Prompts that end the process that runs them. */
        KILLERS
    }

    static Plan draw(Randomness random) {
        int partitions = random.between(1, 4);
        int maxModelLen = random.between(12, 30);
        int blockSize = random.between(1, 6);
        int maxNumSeqs = random.between(1, 6);
        PrefillMode mode = random.oneIn(4) ? PrefillMode.WHOLE : PrefillMode.CHUNKED;
        int leastTokens = mode == PrefillMode.WHOLE ? Math.max(maxModelLen, maxNumSeqs) : maxNumSeqs;
        SchedulerLimits engine = new SchedulerLimits(
                leastTokens + random.below(30),
                maxNumSeqs,
                maxModelLen,
                Math.ceilDiv(maxModelLen, blockSize) + random.below(20),
                blockSize,
                random.between(1, 2),
                mode);
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        for (Fault fault : Fault.values()) {
            if (random.oneIn(2)) {
                faults.add(fault);
            }
        }
        return new Plan(
                partitions,
                random.between(1, 3),
                random.between(3, 24),
                random.nanos(100, 1_500),
                random.nanos(60, 200),
                random.nanos(60, 300),
                random.nanos(150, 400),
                random.nanos(1, 6),
                random.nanos(10, 60),
                random.between(1, 8),
                random.between(1, 20),
                random.between(1, 20),
                random.between(1, 2),
                engine,
                random.between(1, 12),
                random.oneIn(4) ? 0 : random.nanos(20, 600),
                faults);
    }

    boolean has(Fault fault) {
        return faults.contains(fault);
    }
}
