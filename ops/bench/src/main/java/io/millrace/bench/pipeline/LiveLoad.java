package io.millrace.bench.pipeline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Users of a server who send prompts straight to it, independently of one another and of how it is, until stopped.
 *
 * <p>Threads: one of its own sends; the measuring thread starts and stops it.
 */
final class LiveLoad implements AutoCloseable {

    /** More than any run takes. */
    private static final int MOST = 10_000;

    private static final double NANOS_PER_MILLI = 1e6;
    private static final long LOOK_MS = 20;

    private final List<Prompt> prompts;
    private final Schedule schedule;
    private final Endings endings = new Endings(MOST);
    private final DirectRoute route;
    private final List<Long> due = new ArrayList<>(); // of the thread until it has ended
    private final Thread thread;
    private volatile int sent;
    private volatile boolean open = true;

    private LiveLoad(DirectRoute.Address address, RemotePlan.Live live, long seed) {
        prompts = Prompt.random(Plan.Burst.of(MOST, live.words(), live.maxTokens()), seed);
        schedule = Schedule.poisson(MOST, live.perSecond(), seed);
        route = DirectRoute.open(address, endings);
        thread = Thread.ofPlatform().name("bench-users").daemon().start(this::send);
    }

    static LiveLoad start(DirectRoute.Address address, RemotePlan.Live live, long seed) {
        return new LiveLoad(address, live, seed);
    }

    private void send() {
        long start = System.nanoTime();
        for (int i = 0; i < MOST && open; i++) {
            long at = start + schedule.atNanos()[i];
            for (long wait = at - System.nanoTime(); wait > 0 && open; wait = at - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            if (open) {
                due.add(at);
                route.send(prompts.get(i));
                sent = i + 1;
            }
        }
    }

    /** Waits until so many are sent, stops, and returns latencies as {@link #stop} does. */
    double[] awaitSent(int count, Duration patience) throws InterruptedException {
        while (sent < count && thread.isAlive()) {
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
        return stop(patience);
    }

    /** Sends no more, waits for the answers, and returns what each took from when it was due, milliseconds. */
    double[] stop(Duration patience) throws InterruptedException {
        stopSending();
        thread.join();
        int count = due.size();
        long end = System.nanoTime() + patience.toNanos();
        while (!endings.haveEnded(count)) {
            if (System.nanoTime() > end) {
                throw new UnansweredException("users' prompts are not answered within " + patience);
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
        double[] ms = new double[count];
        Arrays.setAll(ms, i -> (endings.nanos(i) - due.get(i)) / NANOS_PER_MILLI);
        return ms;
    }

    private void stopSending() {
        open = false;
        LockSupport.unpark(thread);
    }

    @Override
    public void close() {
        stopSending();
        route.close();
    }
}
