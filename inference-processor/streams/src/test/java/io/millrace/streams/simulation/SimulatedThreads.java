package io.millrace.streams.simulation;

import io.millrace.streams.intake.IntakeThreads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;

/** Intake's threads: each is an actor that takes the next task of one queue. */
final class SimulatedThreads implements IntakeThreads {

    private final World world;
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final PriorityQueue<Timed> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timed::atNanos).thenComparingLong(Timed::number));
    private long timed;
    private boolean closed;

    private record Timed(long atNanos, long number, Runnable task) {}

    SimulatedThreads(World world, Host host, int threads) {
        this.world = world;
        for (int i = 0; i < threads; i++) {
            world.add(new Worker(host, i));
        }
        world.add(new Timer(host));
    }

    @Override
    public long nanoTime() {
        return world.nanos();
    }

    @Override
    public void execute(Runnable task) {
        if (!closed) {
            queue.addLast(task);
        }
    }

    @Override
    public void after(Duration delay, Runnable task) {
        if (!closed) {
            timers.add(new Timed(world.nanos() + delay.toNanos(), timed++, task));
        }
    }

    @Override
    public void close() {
        closed = true;
        queue.clear();
        timers.clear();
    }

    /** Whether nothing is left to do, now or later. */
    boolean isIdle() {
        return queue.isEmpty() && timers.isEmpty();
    }

    private final class Worker extends Actor {

        Worker(Host host, int number) {
            super(host.name + "-intake" + number, host);
        }

        @Override
        long wakeAtNanos() {
            return queue.isEmpty() ? NEVER : 0;
        }

        @Override
        void step() {
            Runnable task = queue.pollFirst();
            if (task != null) {
                task.run();
            }
        }
    }

    private final class Timer extends Actor {

        Timer(Host host) {
            super(host.name + "-timer", host);
        }

        @Override
        long wakeAtNanos() {
            Timed first = timers.peek();
            return first == null ? NEVER : first.atNanos();
        }

        @Override
        void step() {
            Timed first = timers.poll();
            if (first != null) {
                execute(first.task());
            }
        }
    }
}
