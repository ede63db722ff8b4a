package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** Many runs, from one seed on. */
final class Campaign {

    private Campaign() {}

    /**
     * A run that went wrong.
     *
     * @param cause what was found
     * @param report for people: how to run it again, and its last events
     */
    record Failure(long seed, long traceHash, Throwable cause, String report) {}

    /**
     * What came of it.
     *
     * @param kinds how often each kind of event happened, over all runs
     * @param failure the first one by seed; nothing further is begun after it
     */
    record Summary(long runs, long turns, Map<String, Integer> kinds, Optional<Failure> failure) {

        private Summary plus(Summary other) {
            Map<String, Integer> both = new TreeMap<>(kinds);
            other.kinds.forEach((kind, count) -> both.merge(kind, count, Integer::sum));
            Optional<Failure> first = failure.isEmpty()
                            || (other.failure.isPresent()
                                    && other.failure.get().seed()
                                            < failure.get().seed())
                    ? other.failure
                    : failure;
            return new Summary(runs + other.runs, turns + other.turns, both, first);
        }
    }

    /** Runs seeds one after another on this thread, until one fails or it is told to stop. */
    static Summary run(long firstSeed, long runs, BooleanSupplier stop, Mutation mutation) {
        AtomicLong next = new AtomicLong(firstSeed);
        return work(next, firstSeed + runs, stop, new AtomicBoolean(), mutation);
    }

    /** The same on several threads. */
    static Summary run(long firstSeed, long runs, int threads) {
        AtomicLong next = new AtomicLong(firstSeed);
        AtomicBoolean failed = new AtomicBoolean();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Summary>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                parts.add(executor.submit(() -> work(next, firstSeed + runs, () -> false, failed, Mutation.NONE)));
            }
            Summary all = new Summary(0, 0, Map.of(), Optional.empty());
            for (Future<Summary> part : parts) {
                all = all.plus(part.get());
            }
            return all;
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    private static Summary work(
            AtomicLong next, long end, BooleanSupplier stop, AtomicBoolean failed, Mutation mutation) {
        long runs = 0;
        long turns = 0;
        Map<String, Integer> kinds = new TreeMap<>();
        while (!failed.get() && !stop.getAsBoolean()) {
            long seed = next.getAndIncrement();
            if (seed >= end) {
                break;
            }
            Simulation simulation = new Simulation(seed, mutation);
            Optional<Failure> failure = run(seed, simulation);
            runs++;
            turns += simulation.turns();
            simulation.trace().kinds().forEach((kind, count) -> kinds.merge(kind, count, Integer::sum));
            if (failure.isPresent()) {
                failed.set(true);
                return new Summary(runs, turns, kinds, failure);
            }
        }
        return new Summary(runs, turns, kinds, Optional.empty());
    }

    private static Optional<Failure> run(long seed, Simulation simulation) {
        try {
            simulation.run();
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            String report = "seed=" + seed + ": " + e.getMessage() + "\nagain: make simulate RUNS=1 SEED=" + seed
                    + " (-Dmillrace.simulation.seed=" + seed + ")\n" + simulation.plan() + "\nlast events:\n"
                    + simulation.trace().lastEvents();
            return Optional.of(new Failure(seed, simulation.trace().hash(), e, report));
        }
    }
}
