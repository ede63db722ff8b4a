package io.millrace.remote;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What part of its budgets an endpoint may use, since it serves live traffic, too.
 *
 * <p>Threads: one reader of the signal writes; any thread reads, and {@link #most} is the engine's, under its monitor.
 */
interface SlackGate {

    /** All of the budgets. */
    SlackGate OPEN = new SlackGate() {
        @Override
        public double fraction(long nowNanos) {
            return 1;
        }

        @Override
        public int most(int limit, int inFlight, long nowNanos) {
            return limit;
        }

        @Override
        public String describe(long nowNanos) {
            return "no slack gate";
        }
    };

    /** 0 to 1. */
    double fraction(long nowNanos);

    /**
     * Of {@code limit} requests in flight, how many there may be now.
     *
     * @param inFlight as many are now
     */
    int most(int limit, int inFlight, long nowNanos);

    /** What it goes by, for people. */
    String describe(long nowNanos);

    /**
     * A gate by a signal that is read from time to time: without a fresh reading there is no budget. What a reading allows is not
     * sent at once, since the signal does not show yet what that will do to it: from one reading to the next, requests in flight
     * at most double, and one more.
     */
    final class BySignal implements SlackGate {
        private final RemoteOptions.Slack options;
        private volatile @Nullable Reading last;
        private volatile String failure = "not read yet";
        private @Nullable Reading known; // by the engine's monitor, as is inFlightThen
        private int inFlightThen;

        BySignal(RemoteOptions.Slack options) {
            this.options = options;
        }

        private record Reading(double value, long atNanos) {}

        void read(double value, long nowNanos) {
            last = new Reading(value, nowNanos);
        }

        void failed(String why) {
            failure = why;
        }

        @Override
        public double fraction(long nowNanos) {
            Reading reading = last;
            return reading == null || isStale(reading, nowNanos)
                    ? 0
                    : options.curve().at(reading.value());
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // two readings may be equal
        public int most(int limit, int inFlight, long nowNanos) {
            if (last != known) {
                known = last;
                inFlightThen = inFlight;
            }
            return Math.min((int) Math.ceil(limit * fraction(nowNanos)), 2 * inFlightThen + 1);
        }

        private boolean isStale(Reading reading, long nowNanos) {
            return nowNanos - reading.atNanos() > options.maxAge().toNanos();
        }

        @Override
        public String describe(long nowNanos) {
            Reading reading = last;
            if (reading == null || isStale(reading, nowNanos)) {
                return "no slack: " + options.signal() + " was not read for "
                        + options.maxAge().toMillis() / 1e3 + " s: " + failure;
            }
            return String.format(
                    Locale.ROOT,
                    "no slack: %s=%s leaves %.2f of the budgets",
                    options.signal(),
                    reading.value(),
                    fraction(nowNanos));
        }
    }
}
