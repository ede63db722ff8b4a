package io.millrace.bench;

import io.millrace.llm.backend.cpu.CpuBackend;
import io.millrace.llm.model.LoadedModel;
import io.millrace.llm.model.ModelRunner;
import io.millrace.llm.model.RunnerLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Prefill and decode throughput of a model at several batch sizes, without scheduler and Kafka.
 *
 * <p>All batch sizes take turns in each round, so that a machine that slows down slows all of them; the first round is thrown
 * away. Before anything is timed it is checked that a step of the largest batch dequantizes as many weight tiles as a step of
 * one sequence: that is what makes the batch pay.
 */
public final class EngineBench {

    private static final int BLOCK_SIZE = 16;

    /**
     * What is measured.
     *
     * @param sequences batch sizes, ascending; the first is the reference of the ratios
     * @param promptTokens of each sequence
     * @param decodeTokens of each sequence, at least 1
     * @param rounds counted ones, at least 1
     * @param maxNumBatchedTokens most tokens of a step
     */
    public record Plan(
            List<Integer> sequences, int promptTokens, int decodeTokens, int rounds, int maxNumBatchedTokens) {

        /** The batch sizes and lengths that PERFORMANCE figures are about: 64 tokens in, 32 out. */
        public static final Plan DEFAULT = new Plan(List.of(1, 8, 32), 64, 32, 5, 512);

        public Plan {
            sequences = List.copyOf(sequences);
            check("sequences", sequences.size(), !sequences.isEmpty(), "at least 1 batch size");
            check("prompt_tokens", promptTokens, promptTokens >= 1, "at least 1");
            check("decode_tokens", decodeTokens, decodeTokens >= 1, "at least 1");
            check("rounds", rounds, rounds >= 1, "at least 1");
            check(
                    "max_num_batched_tokens",
                    maxNumBatchedTokens,
                    maxNumBatchedTokens >= sequences.getLast(),
                    "at least " + sequences.getLast());
        }

        private static void check(String name, int value, boolean valid, String expected) {
            if (!valid) {
                throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
            }
        }

        int largest() {
            return sequences.getLast();
        }

        int blocksPerSequence() {
            return Math.ceilDiv(promptTokens + decodeTokens, BLOCK_SIZE);
        }
    }

    /**
     * One batch size's throughput, tokens per second.
     *
     * @param decodeRatio decode medians: this batch size's to the first's
     */
    public record Rates(int sequences, Sample prefill, Sample decode, double decodeRatio) {}

    /**
     * What came out.
     *
     * @param tilesPerStep weight tiles that a decode step dequantizes, at any batch size; empty where the backend does not count
     */
    public record Report(Plan plan, String backend, OptionalLong tilesPerStep, List<Rates> rates) {}

    private final LoadedModel model;
    private final Plan plan;

    private EngineBench(LoadedModel model, Plan plan) {
        this.model = model;
        this.plan = plan;
    }

    /**
     * Runs it.
     *
     * @param progress hears what is being done
     * @throws IllegalStateException if the batch does not share its tiles
     */
    public static Report run(LoadedModel model, Plan plan, Consumer<String> progress) {
        return new EngineBench(model, plan).run(progress);
    }

    private Report run(Consumer<String> progress) {
        var limits = new RunnerLimits(
                plan.maxNumBatchedTokens(), plan.largest(), plan.largest() * plan.blocksPerSequence(), BLOCK_SIZE);
        try (var runner = new ModelRunner(model, limits)) {
            progress.accept("checking that one dequantized tile serves the whole batch");
            OptionalLong tiles = checkTiles(runner);
            double[][] prefill = new double[plan.sequences().size()][plan.rounds()];
            double[][] decode = new double[plan.sequences().size()][plan.rounds()];
            for (int round = -1; round < plan.rounds(); round++) { // -1 warms up
                for (int i = 0; i < plan.sequences().size(); i++) {
                    progress.accept("round " + (round + 1) + " of " + plan.rounds() + ", "
                            + plan.sequences().get(i) + " sequences");
                    var batch = new BenchBatch(
                            model.config(), runner, plan.sequences().get(i), plan, BLOCK_SIZE);
                    double prefillRate = batch.prefill();
                    double decodeRate = batch.decode();
                    if (round >= 0) {
                        prefill[i][round] = prefillRate;
                        decode[i][round] = decodeRate;
                    }
                }
            }
            return new Report(plan, model.backend().name(), tiles, rates(prefill, decode));
        }
    }

    private List<Rates> rates(double[][] prefill, double[][] decode) {
        double reference = new Sample(decode[0]).median();
        List<Rates> rates = new ArrayList<>();
        for (int i = 0; i < decode.length; i++) {
            var sample = new Sample(decode[i]);
            rates.add(new Rates(plan.sequences().get(i), new Sample(prefill[i]), sample, sample.median() / reference));
        }
        return rates;
    }

    private OptionalLong checkTiles(ModelRunner runner) {
        if (!(model.backend() instanceof CpuBackend cpu)) {
            return OptionalLong.empty();
        }
        long one = tilesOfADecodeStep(runner, cpu, 1);
        long many = tilesOfADecodeStep(runner, cpu, plan.largest());
        if (one != many) {
            throw new IllegalStateException(
                    "tiles dequantized by a step of " + plan.largest() + " sequences=" + many + ", expected=" + one);
        }
        return OptionalLong.of(one);
    }

    private long tilesOfADecodeStep(ModelRunner runner, CpuBackend cpu, int sequences) {
        var batch = new BenchBatch(model.config(), runner, sequences, plan, BLOCK_SIZE);
        batch.prefill();
        long before = cpu.dequantizedTiles();
        batch.decodeStep();
        return cpu.dequantizedTiles() - before;
    }
}
