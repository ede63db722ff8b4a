package io.millrace.streams.simulation;

import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.config.Ordering;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
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
 * @param deduplication where there is one, prompts have ids, and the same ones again
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
        Set<Fault> faults,
        Ordering ordering,
        Optional<DeduplicationSettings> deduplication) {

    /** As good as for ever: longer, and more, than any run needs. */
    private static final Duration LONG = Duration.ofHours(1);

    private static final int MANY = 1_000;

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

    static Plan draw(long seed, Randomness random) {
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
                faults,
                ordering(seed),
                deduplication(seed, random));
    }

    /** By the seed itself: of seeds that have found something once the runs stay what they were. */
    private static Ordering ordering(long seed) {
        return switch ((int) Math.floorMod(seed, 8L)) {
            case 1, 4, 7 -> Ordering.KEY;
            default -> Ordering.NONE;
        };
    }

    private static Optional<DeduplicationSettings> deduplication(long seed, Randomness random) {
        return switch ((int) Math.floorMod(seed, 8L)) {
            case 2, 6, 7 ->
                Optional.of(new DeduplicationSettings(
                        random.oneIn(2) ? LONG : Duration.ofNanos(random.nanos(10, 400)),
                        random.oneIn(4) ? random.between(1, 3) : MANY));
            default -> Optional.empty();
        };
    }

    /** Ids that prompts have, a few each; 0: they have none. */
    int requestIds() {
        return deduplication.isEmpty() ? 0 : Math.max(1, prompts / 4);
    }

    /** Whether no id that was taken is given up for its age or for others. */
    boolean remembersForEver() {
        return deduplication.equals(Optional.of(new DeduplicationSettings(LONG, MANY)));
    }

    boolean has(Fault fault) {
        return faults.contains(fault);
    }
}
