package io.millrace.remote;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What part of its budgets an endpoint may use, since it serves live traffic, too.
 *
 * <p>Threads: one reader of the signal writes; any thread reads.
 */
interface SlackGate {

    /** All of the budgets. */
    SlackGate OPEN = new SlackGate() {
        @Override
        public double fraction(long nowNanos) {
            return 1;
        }

        @Override
        public String describe(long nowNanos) {
            return "no slack gate";
        }
    };

    /** 0 to 1. */
    double fraction(long nowNanos);

    /** What it goes by, for people. */
    String describe(long nowNanos);

    /** A gate by a signal that is read from time to time: without a fresh reading there is no budget. */
    final class BySignal implements SlackGate {
        private final RemoteOptions.Slack options;
        private volatile @Nullable Reading last;
        private volatile String failure = "not read yet";

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

        private boolean isStale(Reading reading, long nowNanos) {
            return nowNanos - reading.atNanos() > options.maxAge().toNanos();
        }

        @Override
        public String describe(long nowNanos) {
            Reading reading = last;
            if (reading == null || isStale(reading, nowNanos)) {
                return "no slack: " + options.signal() + " was not read for " + options.maxAge() + ": " + failure;
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
