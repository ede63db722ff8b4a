package io.millrace.remote;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;

/**
 * A model server in simulated time that answers in one piece: so many slots, a queue before them, and for each request the time
 * that it takes in its slot; or, if it batches, all that wait at once, in a time that grows with each.
 */
final class WholeServer {

    private record Job(long nanos, Runnable onEnd) {}

    private record Running(long endNanos, Runnable onEnd) {}

    private final FakeClock clock;
    private final Deque<Job> queue = new ArrayDeque<>();
    private final PriorityQueue<Running> running = new PriorityQueue<>(Comparator.comparingLong(Running::endNanos));
    private int slots;
    private double busySeconds;
    private double queueSeconds;
    private long answered;

    WholeServer(int slots, FakeClock clock) {
        this.slots = slots;
        this.clock = clock;
    }

    void slots(int number) {
        slots = number;
    }

    void add(long nanos, Runnable onEnd) {
        queue.add(new Job(nanos, onEnd));
        start();
    }

    private void start() {
        while (running.size() < slots && !queue.isEmpty()) {
            Job job = queue.remove();
            running.add(new Running(clock.nanoTime() + job.nanos(), job.onEnd()));
        }
    }

    /** Goes on to the next answer. */
    void step() {
        Running next = running.remove();
        double seconds = (next.endNanos() - clock.nanoTime()) / 1e9;
        busySeconds += seconds * (running.size() + 1);
        queueSeconds += seconds * queue.size();
        clock.advanceTo(next.endNanos());
        answered++;
        start();
        next.onEnd().run();
    }

    /** Everything that waits, in one batch: so much for the batch, and for each in it. */
    void stepBatch(long batchNanos, long eachNanos) {
        List<Job> batch = new ArrayList<>(queue);
        queue.clear();
        clock.advanceTo(clock.nanoTime() + batchNanos + batch.size() * eachNanos);
        answered += batch.size();
        batch.forEach(job -> job.onEnd().run());
    }

    Measure measure() {
        return new Measure(clock.nanoTime() / 1e9, busySeconds, queueSeconds, answered);
    }

    /** Seconds, of slots and of the queue too, and answers. */
    record Measure(double seconds, double busySeconds, double queueSeconds, long answered) {
        Measure since(Measure before) {
            return new Measure(
                    seconds - before.seconds,
                    busySeconds - before.busySeconds,
                    queueSeconds - before.queueSeconds,
                    answered - before.answered);
        }

        double meanBusy() {
            return busySeconds / seconds;
        }

        double meanQueue() {
            return queueSeconds / seconds;
        }

        double perSecond() {
            return answered / seconds;
        }
    }
}
