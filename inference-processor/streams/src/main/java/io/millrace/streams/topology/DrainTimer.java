package io.millrace.streams.topology;

import java.time.Duration;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.jspecify.annotations.Nullable;

/**
 * How often a task looks for endings. Every punctuation marks the task for a commit, so there is none while nothing is
 * pending.
 *
 * <p>Threads: the task's stream thread only.
 */
final class DrainTimer {

    /** While something may end. */
    private static final Duration OFTEN = Duration.ofMillis(1);

    /** While all that is pending is paused: so late comes the first answer after a RESUME. */
    private static final Duration SELDOM = Duration.ofSeconds(1);

    private final ProcessorContext<OutKey, byte[]> context;
    private final Runnable drain;
    private @Nullable Cancellable punctuator;
    private Duration interval = OFTEN;

    DrainTimer(ProcessorContext<OutKey, byte[]> context, Runnable drain) {
        this.context = context;
        this.drain = drain;
    }

    void often() {
        every(OFTEN);
    }

    void seldom() {
        every(SELDOM);
    }

    private void every(Duration wanted) {
        if (punctuator == null || !wanted.equals(interval)) {
            stop();
            punctuator = context.schedule(wanted, PunctuationType.WALL_CLOCK_TIME, nowMs -> drain.run());
            interval = wanted;
        }
    }

    void stop() {
        if (punctuator != null) {
            punctuator.cancel();
            punctuator = null;
        }
    }
}
