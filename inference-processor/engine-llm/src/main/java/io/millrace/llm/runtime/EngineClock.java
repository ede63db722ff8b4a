package io.millrace.llm.runtime;

import java.time.Instant;

/** The engine's two clocks: durations are measured by the first, deadlines are stated by the second. */
interface EngineClock {

    /** The machine's. */
    EngineClock SYSTEM = new EngineClock() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public Instant now() {
            return Instant.now();
        }
    };

    /** Nanoseconds since some fixed moment; never runs backwards. */
    long nanoTime();

    /** The time of day. */
    Instant now();
}
