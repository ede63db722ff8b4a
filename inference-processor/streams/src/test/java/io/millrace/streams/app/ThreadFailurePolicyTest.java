package io.millrace.streams.app;

import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.ProcessorObserver;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.streams.errors.StreamsException;
import org.junit.jupiter.api.Test;

class ThreadFailurePolicyTest {

    private final AtomicLong nanos = new AtomicLong();
    private final AtomicInteger replaced = new AtomicInteger();
    private final ThreadFailurePolicy policy = new ThreadFailurePolicy(
            new ProcessorObserver() {
                @Override
                public void threadReplaced() {
                    replaced.incrementAndGet();
                }
            },
            nanos::get);

    @Test
    void shouldReplaceAThreadThatDiedOfWhatPasses() {
        assertThat(policy.handle(new StreamsException(new TimeoutException("broker away"))))
                .isEqualTo(REPLACE_THREAD);
        assertThat(replaced).hasValue(1);
    }

    @Test
    void shouldStopWhereANewThreadWouldDieTheSameWay() {
        assertThat(policy.handle(new StreamsException(new TopicAuthorizationException("no"))))
                .isEqualTo(SHUTDOWN_CLIENT);
        assertThat(policy.handle(new StreamsException(new RecordTooLargeException("shrunk"))))
                .isEqualTo(SHUTDOWN_CLIENT);
        assertThat(policy.handle(new OutOfMemoryError())).isEqualTo(SHUTDOWN_CLIENT);
        assertThat(replaced).hasValue(0);
    }

    @Test
    void shouldStopAfterTooManyDeathsWithinAMinute() {
        for (int death = 1; death < ThreadFailurePolicy.MAX_DEATHS; death++) {
            assertThat(policy.handle(new IllegalStateException())).isEqualTo(REPLACE_THREAD);
        }
        assertThat(policy.handle(new IllegalStateException())).isEqualTo(SHUTDOWN_CLIENT);
    }

    @Test
    void shouldForgetDeathsOfTheMinuteBefore() {
        for (int death = 0; death < 20; death++) {
            assertThat(policy.handle(new IllegalStateException())).isEqualTo(REPLACE_THREAD);
            nanos.addAndGet(ThreadFailurePolicy.WINDOW.toNanos() / 3);
        }
    }
}
