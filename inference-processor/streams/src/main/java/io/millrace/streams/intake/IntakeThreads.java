package io.millrace.streams.intake;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What intake runs on. A test may run everything on the calling thread. */
public interface IntakeThreads extends AutoCloseable {

    /** Runs a task soon, on an intake thread. Never blocks; drops the task once closed. */
    void execute(Runnable task);

    /** Runs a task on an intake thread after a while. */
    void after(Duration delay, Runnable task);

    /** The clock of {@link #after} and of {@link Work#admittedNanos}, which no setting of the wall clock moves. */
    default long nanoTime() {
        return System.nanoTime();
    }

    /** Interrupts what runs and drops what waits: all of it is in the pending store. */
    @Override
    void close();

    /**
     * A pool of threads and a timer. Its queue has no bound of its own: intake bounds admissions, and each pending
     * prompt has at most one ending.
     *
     * @param threads at least 1
     * @param onFatal told of an error that no task expected (out of memory, a linkage error)
     */
    static IntakeThreads pool(int threads, Thread.UncaughtExceptionHandler onFatal) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor workers =
                new ThreadPoolExecutor(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "millrace-intake-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    thread.setUncaughtExceptionHandler(onFatal);
                    return thread;
                });
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "millrace-intake-timer");
            thread.setDaemon(true);
            return thread;
        });
        return new Pool(workers, timer);
    }

    /** Threads of their own. */
    record Pool(ThreadPoolExecutor workers, ScheduledExecutorService timer) implements IntakeThreads {

        @Override
        public void execute(Runnable task) {
            try {
                workers.execute(task);
            } catch (RejectedExecutionException closed) {
                // the application is closing: the prompt stays in the pending store
            }
        }

        @Override
        public void after(Duration delay, Runnable task) {
            try {
                var _ = timer.schedule(() -> execute(task), delay.toNanos(), TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException closed) {
                // as above
            }
        }

        @Override
        public void close() {
            timer.shutdownNow();
            workers.shutdownNow();
        }
    }
}
