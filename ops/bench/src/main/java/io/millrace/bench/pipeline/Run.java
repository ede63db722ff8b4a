package io.millrace.bench.pipeline;

import io.millrace.bench.Sample;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * One run that ended well: each prompt has its one answer.
 *
 * @param seconds from the first prompt's sending to the last one's ending
 * @param latencyMs of each prompt, from when it was meant to be sent to its ending
 */
record Run(double seconds, double[] latencyMs, List<Endings.Answer> answers, Meter.Use use) {

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int PERCENT = 100;

    /**
     * Sends the prompts when they are due and waits for all endings.
     *
     * @param schedule one time for each prompt
     */
    static Run of(List<Prompt> prompts, Schedule schedule, Route route, Endings endings, Meter meter, Duration patience)
            throws InterruptedException {
        meter.start();
        long start = System.nanoTime();
        for (int i = 0; i < prompts.size(); i++) {
            long due = start + schedule.atNanos()[i];
            for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            route.send(prompts.get(i));
        }
        endings.await(patience);
        long end = start;
        double[] latencyMs = new double[prompts.size()];
        for (int i = 0; i < latencyMs.length; i++) {
            end = Math.max(end, endings.nanos(i));
            latencyMs[i] = (endings.nanos(i) - start - schedule.atNanos()[i]) / NANOS_PER_MILLI;
        }
        return new Run((end - start) / NANOS_PER_SECOND, latencyMs, endings.answers(), meter.stop());
    }

    /** Generated tokens for each second. */
    double tokensPerSecond() {
        return use.generatedTokens() / seconds;
    }

    /** Of each prompt, what it took beside its time in the engine. */
    double[] outsideEngineMs() {
        double[] outside = new double[latencyMs.length];
        for (int i = 0; i < outside.length; i++) {
            outside[i] = latencyMs[i] - answers.get(i).engineMs();
        }
        return outside;
    }

    /** The nearest rank: a value that was measured. */
    static double percentile(double[] values, double percent) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[Math.max(0, (int) Math.ceil(percent * sorted.length / PERCENT) - 1)];
    }

    /** One value of each run. */
    static Sample sample(List<Run> runs, java.util.function.ToDoubleFunction<Run> value) {
        return new Sample(runs.stream().mapToDouble(value).toArray());
    }
}
