package io.millrace.remote;

import java.time.Instant;

/** The engine's two clocks: durations are measured by the first, deadlines are stated by the second. */
interface RemoteClock {

    /** The machine's. */
    RemoteClock SYSTEM = new RemoteClock() {
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
