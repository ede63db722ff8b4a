package io.millrace.bench.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * When which fault comes, from a seed. Kinds are dealt like cards, so that each comes once before one comes twice. The schedule is the
 * same for the same seed; what the faults meet is not, since processes and clocks do not obey it.
 */
final class FaultSchedule {

    /** Targets are taken modulo the number of workers or brokers, so any range that many numbers divide will do. */
    private static final int TARGETS = 60;

    private FaultSchedule() {}

    /**
     * Faults in the order of their times, none in the last sixth of the time.
     *
     * @param gap mean time between two; they vary by half of it
     */
    static List<Fault> of(long seed, Duration time, Duration gap, List<FaultKind> kinds) {
        Random random = new Random(seed);
        List<Fault> faults = new ArrayList<>();
        List<FaultKind> deck = new ArrayList<>();
        long lastMs = time.toMillis() * 5 / 6;
        for (long atMs = 0; ; ) {
            atMs += between(random, gap.toMillis() / 2, gap.toMillis() * 3 / 2);
            if (atMs > lastMs) {
                return faults;
            }
            if (deck.isEmpty()) {
                deck.addAll(kinds);
                Collections.shuffle(deck, random);
            }
            FaultKind kind = deck.removeLast();
            faults.add(new Fault(
                    Duration.ofMillis(atMs), kind, random.nextInt(TARGETS), length(kind, random), random.nextInt(2)));
        }
    }

    private static Duration length(FaultKind kind, Random random) {
        return Duration.ofMillis(
                switch (kind) {
                    case KILL, SCALE_DOWN, BROKER_RESTART, BROKER_KILL -> between(random, 500, 5_000);
                    // sessions last 6 s, transactions 10 s
                    case STOP, STOP_RESTORED -> between(random, 8_000, 14_000);
                    case SCALE_UP -> between(random, 15_000, 30_000);
                    case CUT -> between(random, 200, 3_000);
                    case DELAY -> between(random, 3_000, 8_000);
                    case STALL -> between(random, 2_000, 12_000);
                    case LOST_ACK -> 0;
                });
    }

    private static long between(Random random, long least, long most) {
        return least + random.nextLong(most - least + 1);
    }
}
