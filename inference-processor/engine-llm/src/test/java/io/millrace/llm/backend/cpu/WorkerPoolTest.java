package io.millrace.llm.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

class WorkerPoolTest {

    @Test
    void shouldRunEachChunkOnceInEachOfManyRegions() {
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int region = 0; region < 2_000; region++) {
                int chunks = region % 17;
                AtomicIntegerArray runs = new AtomicIntegerArray(chunks);
                pool.run(chunks, (chunk, thread) -> runs.incrementAndGet(chunk));
                for (int chunk = 0; chunk < chunks; chunk++) {
                    assertThat(runs.get(chunk)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void shouldWakeWorkersThatHaveParked() throws InterruptedException {
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int round = 0; round < 20; round++) {
                // both chunks must be under way at once: the worker has to come, parked or not
                CountDownLatch both = new CountDownLatch(2);
                pool.run(2, (chunk, thread) -> {
                    both.countDown();
                    try {
                        both.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
                assertThat(both.getCount()).isZero();
                spinLongerThanAWorkerDoes();
            }
        }
    }

    private static void spinLongerThanAWorkerDoes() {
        long end = System.nanoTime() + 200_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldRethrowAFailureAfterAllChunksEndedAndWorkOn() {
        try (WorkerPool pool = new WorkerPool(2)) {
            LongAdder done = new LongAdder();
            assertThatThrownBy(() -> pool.run(10, (chunk, thread) -> {
                        done.increment();
                        if (chunk == 3) {
                            throw new IllegalStateException("chunk 3");
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("chunk 3");
            assertThat(done.sum()).isEqualTo(10);
            pool.run(10, (chunk, thread) -> done.increment());
            assertThat(done.sum()).isEqualTo(20);
        }
    }

    @Test
    void shouldNumberThreadsWithinItsSize() {
        try (WorkerPool pool = new WorkerPool(2)) {
            assertThat(pool.threads()).isEqualTo(2);
            pool.run(100, (chunk, thread) -> assertThat(thread).isBetween(0, 1));
        }
    }
}
