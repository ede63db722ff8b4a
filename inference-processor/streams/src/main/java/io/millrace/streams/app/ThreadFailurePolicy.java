package io.millrace.streams.app;

import io.millrace.streams.ProcessorObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when a stream thread dies. It is replaced, since its tasks are restored from the last commit and most
 * causes pass: a broker that does not answer, a coordinator that moved. The client shuts down where a new thread would
 * die the same way (no permission, no source topic, a record the broker takes no more), or after {@value #MAX_DEATHS}
 * deaths within a minute: its supervisor starts it afresh, or tells someone.
 */
final class ThreadFailurePolicy implements StreamsUncaughtExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(ThreadFailurePolicy.class);

    /** Deaths within {@link #WINDOW} that are one too many. */
    static final int MAX_DEATHS = 5;

    static final Duration WINDOW = Duration.ofMinutes(1);

    private final ProcessorObserver observer;
    private final LongSupplier nanoClock;
    private final ArrayDeque<Long> deaths = new ArrayDeque<>();

    ThreadFailurePolicy(ProcessorObserver observer, LongSupplier nanoClock) {
        this.observer = observer;
        this.nanoClock = nanoClock;
    }

    @Override
    public synchronized StreamThreadExceptionResponse handle(Throwable exception) {
        long now = nanoClock.getAsLong();
        deaths.addLast(now);
        while (now - deaths.getFirst() > WINDOW.toNanos()) {
            deaths.removeFirst();
        }
        if (isPermanent(exception) || deaths.size() >= MAX_DEATHS) {
            LOG.error(
                    "a stream thread died, the application stops ({} deaths in {})", deaths.size(), WINDOW, exception);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        LOG.warn("a stream thread died and is replaced", exception);
        observer.threadReplaced();
        return StreamThreadExceptionResponse.REPLACE_THREAD;
    }

    private static boolean isPermanent(Throwable exception) {
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (cause instanceof AuthorizationException
                    || cause instanceof AuthenticationException
                    || cause instanceof MissingSourceTopicException
                    || cause instanceof RecordTooLargeException
                    || cause instanceof Error) {
                return true;
            }
        }
        return false;
    }
}
