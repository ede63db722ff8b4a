package io.millrace.remote;

/**
 * The limit of requests whose answers come in one piece. They have no first token to go by, and their latency does not tell a
 * server's queue from a batch that is large, as it should be, nor either from a long text. So it is tried: now half as many more
 * are in flight for a while, now a third fewer. If the server does clearly more of them, they stay more; if it does as much with
 * fewer, they stay fewer. A server of so many slots is full then, and its queue is no longer than half of these; one that batches
 * gets batches as large as still pay.
 *
 * <p>How much it does is what is in flight over the mean latency, by Little's law, over a window of answers.
 *
 * <p>Threads: its caller's.
 */
final class ThroughputLimit implements AdaptiveLimit {

    private static final int FIRST_LIMIT = 8;

    /** Answers of a window: some for each place, and no fewer than this. Their mean is then within 5% or so. */
    private static final int LEAST_SAMPLES = 64;

    private static final int SAMPLES_PER_PLACE = 8;

    /** Windows between two trials, once the limit has been found: what they cost is a small part then. */
    private static final int REST = 4;

    /** Half as many more must bring so much. */
    private static final double GAIN = 1.08;

    /** A third fewer may cost so much. */
    private static final double LOSS = 0.95;

    /** Throughput that changed so much is another server's, as it were: what that takes is tried at once. */
    private static final double CHANGED = 1.3;

    /** The part of the limit that must have been in flight: else there were too few requests to tell. */
    private static final double USED = 0.75;

    private static final double REFUSED = 0.9;

    private final int most;
    private int limit;
    private Trial trial = Trial.NONE;
    private Trial next = Trial.MORE;
    private int rest = 1;
    private int rested; // windows without a trial
    private double throughput; // at the limit, the newest windows above all; 0 before the first
    private int epoch;
    private int samples;
    private double sumNanos;
    private long sumInFlight;

    /** What is tried now. */
    private enum Trial {
        NONE,
        MORE,
        FEWER
    }

    ThroughputLimit(int most) {
        this.most = most;
        limit = Math.min(FIRST_LIMIT, most);
    }

    @Override
    public int get() {
        return switch (trial) {
            case NONE -> limit;
            case MORE -> Math.min(most, limit + Math.max(1, limit / 2));
            case FEWER -> Math.max(1, limit - Math.max(1, limit / 3));
        };
    }

    @Override
    public int epoch() {
        return epoch;
    }

    /**
     * A request was answered.
     *
     * @param inFlight requests in flight when it was sent, itself included
     */
    void answered(long nanos, int inFlight) {
        samples++;
        sumNanos += nanos;
        sumInFlight += inFlight;
        if (samples >= Math.max(LEAST_SAMPLES, SAMPLES_PER_PLACE * get())) {
            if (sumInFlight >= USED * get() * samples) {
                decide(sumInFlight / Math.max(1, sumNanos));
            } else {
                settle(next);
            }
            nextWindow();
        }
    }

    private void decide(double now) {
        switch (trial) {
            case NONE -> watch(now);
            case MORE -> {
                if (now > throughput * GAIN) {
                    keep(now);
                } else {
                    rest = REST;
                    settle(Trial.FEWER);
                }
            }
            case FEWER -> {
                if (now > throughput * LOSS) {
                    keep(now);
                } else {
                    settle(Trial.MORE);
                }
            }
        }
    }

    private void watch(double now) {
        if (throughput > 0 && (now * CHANGED < throughput || now > throughput * CHANGED)) {
            // in the midst of this window: the next is the first that counts
            next = now < throughput ? Trial.FEWER : Trial.MORE;
            throughput = 0;
            rested = rest - 1;
        } else {
            throughput = throughput == 0 ? now : (throughput + now) / 2;
            rested++;
            trial = rested >= rest ? next : Trial.NONE;
        }
    }

    /** What is tried is the limit from now on, and more of the same is tried. */
    private void keep(double now) {
        limit = get();
        throughput = now;
        if (get() == limit) {
            settle(trial == Trial.MORE ? Trial.FEWER : Trial.MORE);
        }
    }

    private void settle(Trial later) {
        trial = Trial.NONE;
        next = later;
        rested = 0;
    }

    @Override
    public void refused(int sentIn) {
        if (sentIn == epoch) {
            limit = Math.max(1, (int) (limit * REFUSED));
            rest = REST;
            settle(Trial.FEWER);
            nextWindow();
        }
    }

    private void nextWindow() {
        epoch++;
        samples = 0;
        sumNanos = 0;
        sumInFlight = 0;
    }
}
