package io.millrace.bench.pipeline;

import io.millrace.bench.Sample;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What came out.
 *
 * @param model who answered
 * @param processors of this machine
 * @param java its version
 * @param oneThread with an engine of one thread
 * @param allCores with an engine of a thread for each core: the broker, the processor and who measures share them
 * @param blocking the topology that calls the engine one record at a time, with one thread
 * @param loaded prompts one by one, with an engine of one thread
 * @param immediate prompts one by one to an engine that answers at once
 * @param idlePercent CPU time of an idle process, percent of a core; empty where it was not measured
 */
public record PipelineReport(
        Plan plan,
        String model,
        int processors,
        String java,
        Throughput oneThread,
        Throughput allCores,
        Blocking blocking,
        Added loaded,
        Added immediate,
        OptionalDouble idlePercent) {

    /**
     * One side of a comparison; but for tokens a second, means over its runs.
     *
     * @param tokensPerSecond generated ones
     * @param meanBatch sequences in a step
     * @param busyFraction part of the time in which the engine was in a step
     * @param jvmCpuSeconds of a run: engine, processor, and who sends and reads
     * @param brokerCpuSeconds of a run
     * @param commitsPerSecond transactions
     * @param commitMs mean time of one
     */
    public record Side(
            Sample tokensPerSecond,
            double meanBatch,
            double busyFraction,
            double jvmCpuSeconds,
            double brokerCpuSeconds,
            double commitsPerSecond,
            double commitMs) {

        static Side of(List<Run> runs) {
            return new Side(
                    Run.sample(runs, Run::tokensPerSecond),
                    mean(runs, run -> run.use().meanBatch()),
                    mean(runs, run -> run.use().busyFraction()),
                    mean(runs, run -> run.use().jvmCpuSeconds()),
                    mean(runs, run -> run.use().brokerCpuSeconds()),
                    mean(runs, run -> run.use().commits() / run.seconds()),
                    mean(runs, run -> run.use().commitMs()));
        }

        private static double mean(List<Run> runs, java.util.function.ToDoubleFunction<Run> value) {
            return runs.stream().mapToDouble(value).average().orElse(0);
        }
    }

    /**
     * All prompts at once.
     *
     * @param threads of the engine
     * @param ratio pipeline to engine, of each round
     * @param sameAnswers prompts with the same answer from both, in all rounds
     * @param answers all of them
     */
    public record Throughput(int threads, Side engine, Side pipeline, Sample ratio, long sameAnswers, long answers) {}

    /**
     * One record at a time.
     *
     * @param ratio pipeline to this, of each round
     */
    public record Blocking(int prompts, Side side, Sample ratio) {}

    /**
     * Latency of all rounds' prompts together, milliseconds from the intended time of sending.
     *
     * @param percentiles from the 0th to the 100th, {@code [101]}
     */
    public record Latency(double p50, double p99, double[] percentiles) {

        static Latency of(double[] ms) {
            double[] percentiles = new double[101];
            for (int percent = 0; percent < percentiles.length; percent++) {
                percentiles[percent] = Run.percentile(ms, percent);
            }
            return new Latency(percentiles[50], percentiles[99], percentiles);
        }
    }

    /**
     * One by one.
     *
     * @param perSecond mean rate of arrival
     * @param prompts of a round
     * @param reference the engine alone; for an immediate engine a topic that is written and read
     * @param addedP50Ms pipeline's minus the reference's, of each round
     * @param addedP99Ms the same of the 99th percentiles
     * @param outsideEngine of each prompt, what its latency is beside its own time in the engine
     */
    public record Added(
            double perSecond,
            int prompts,
            Latency reference,
            Latency pipeline,
            Sample addedP50Ms,
            Sample addedP99Ms,
            Latency outsideEngine) {}
}
