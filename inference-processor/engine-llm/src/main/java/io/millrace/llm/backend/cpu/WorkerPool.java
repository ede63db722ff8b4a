package io.millrace.llm.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed pool that runs short parallel regions. A region's chunks come from one counter, so a thread that the machine deschedules costs at most
 * the chunk it holds. Between regions a worker spins for a moment, then parks: a busy neighbour gets the core.
 *
 * <p>Threads: owner: the engine thread, the only one to call {@link #run}, working along as thread 0. Everything a region's chunks need is
 * published by the volatile {@link #current}; the caller sees their effects through the region's counter of finished chunks.
 */
final class WorkerPool implements AutoCloseable {

    /** One chunk of a region's work. */
    interface Body {
        /**
         * Does one chunk.
         *
         * @param chunk 0 to chunks - 1, each exactly once
         * @param thread which of the pool's threads runs it, 0 to threads - 1: the index of its scratch memory
         */
        void run(int chunk, int thread);
    }

    private static final long SPIN_NANOS = 20_000;
    private static final int SPINS_PER_CLOCK_READ = 64;
    private static final int SPINS_BEFORE_YIELD = 2_000;

    private final Worker[] workers;
    private volatile @Nullable Region current;
    private volatile boolean closed;

    WorkerPool(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /** Threads that work, the caller included. */
    int threads() {
        return workers.length + 1;
    }

    /** Runs {@code chunks} chunks and returns when all are done; rethrows the first failure of any. */
    void run(int chunks, Body body) {
        if (chunks <= 1 || workers.length == 0) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                body.run(chunk, 0);
            }
            return;
        }
        Region region = new Region(chunks, body);
        current = region;
        for (Worker worker : workers) {
            if (worker.parked) {
                LockSupport.unpark(worker);
            }
        }
        region.work(0);
        region.await();
    }

    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    private static final class Region {

        private final int chunks;
        private final Body body;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger finished = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Region(int chunks, Body body) {
            this.chunks = chunks;
            this.body = body;
        }

        void work(int thread) {
            for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
                try {
                    body.run(chunk, thread);
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    finished.incrementAndGet();
                }
            }
        }

        @SuppressWarnings("ThreadPriorityCheck") // a worker that lost its core to a neighbour is waited for, not raced
        void await() {
            for (int spins = 0; finished.get() < chunks; spins++) {
                if (spins < SPINS_BEFORE_YIELD) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            switch (failure.get()) {
                case null -> {}
                case Error error -> throw error;
                case Throwable exception -> throw (RuntimeException) exception;
            }
        }
    }

    private final class Worker extends Thread {

        private final int index;
        private volatile boolean parked;

        Worker(int index) {
            super("millrace-cpu-" + index);
            this.index = index;
            setDaemon(true);
        }

        @Override
        public void run() {
            Region seen = null;
            while (!closed) {
                Region region = current;
                if (region != seen && region != null) {
                    seen = region;
                    region.work(index);
                } else if (!spinUntilNew(seen)) {
                    parkUnlessNew(seen);
                }
            }
        }

        private boolean spinUntilNew(@Nullable Region seen) {
            long end = System.nanoTime() + SPIN_NANOS;
            do {
                for (int i = 0; i < SPINS_PER_CLOCK_READ; i++) {
                    if (current != seen) {
                        return true;
                    }
                    Thread.onSpinWait();
                }
            } while (System.nanoTime() < end);
            return false;
        }

        /** The flag goes up before the last look, and the caller publishes before it looks at the flag: one of the two sees the other. */
        private void parkUnlessNew(@Nullable Region seen) {
            parked = true;
            if (current == seen && !closed) {
                LockSupport.park(this);
            }
            parked = false;
        }
    }
}
