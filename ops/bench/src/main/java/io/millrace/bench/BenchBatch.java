package io.millrace.bench;

import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.model.ModelConfig;
import io.millrace.llm.model.ModelRunner;
import io.millrace.llm.sampler.SampleRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/** Sequences of one length that are prefilled and decoded together, greedily. */
final class BenchBatch {

    private static final double NANOS_PER_SECOND = 1e9;

    /** The same prompts in each round and for each batch size. */
    private static final long SEED = 42;

    private final ModelConfig config;
    private final ModelRunner runner;
    private final EngineBench.Plan plan;
    private final int blockSize;
    private final int[][] prompts; // [sequences][promptTokens]
    private final int[] newest; // [sequences]
    private int position;

    BenchBatch(ModelConfig config, ModelRunner runner, int sequences, EngineBench.Plan plan, int blockSize) {
        this.config = config;
        this.runner = runner;
        this.plan = plan;
        this.blockSize = blockSize;
        var random = new Random(SEED);
        this.prompts = IntStream.range(0, sequences)
                .mapToObj(
                        i -> random.ints(plan.promptTokens(), 0, config.vocab()).toArray())
                .toArray(int[][]::new);
        this.newest = new int[sequences];
    }

    /** Computes all prompts in steps as full as they may be; tokens per second. */
    double prefill() {
        long start = System.nanoTime();
        List<StepInput.Item> items = new ArrayList<>();
        int room = plan.maxNumBatchedTokens();
        for (int slot = 0; slot < prompts.length; slot++) {
            for (int from = 0; from < plan.promptTokens(); ) {
                int count = Math.min(room, plan.promptTokens() - from);
                int[] tokens = java.util.Arrays.copyOfRange(prompts[slot], from, from + count);
                items.add(item(slot, tokens, from, from + count == plan.promptTokens()));
                from += count;
                room -= count;
                if (room == 0) {
                    step(items);
                    items.clear();
                    room = plan.maxNumBatchedTokens();
                }
            }
        }
        if (!items.isEmpty()) {
            step(items);
        }
        position = plan.promptTokens();
        return (double) prompts.length * plan.promptTokens() * NANOS_PER_SECOND / (System.nanoTime() - start);
    }

    /** Generates {@code decodeTokens} for each sequence, one step a token; tokens per second. */
    double decode() {
        long start = System.nanoTime();
        for (int i = 0; i < plan.decodeTokens(); i++) {
            decodeStep();
        }
        return (double) prompts.length * plan.decodeTokens() * NANOS_PER_SECOND / (System.nanoTime() - start);
    }

    /** One token for each sequence. */
    void decodeStep() {
        List<StepInput.Item> items = new ArrayList<>();
        for (int slot = 0; slot < prompts.length; slot++) {
            items.add(item(slot, new int[] {newest[slot]}, position, true));
        }
        step(items);
        position++;
    }

    private StepInput.Item item(int slot, int[] tokens, int start, boolean sample) {
        int blocks = Math.ceilDiv(start + tokens.length, blockSize);
        int first = slot * plan.blocksPerSequence();
        int[] table = IntStream.range(first, first + blocks).toArray();
        int[][] tables = IntStream.range(0, config.kvGroups().size())
                .mapToObj(group -> table)
                .toArray(int[][]::new);
        Optional<SampleRequest> draw = sample ? Optional.of(greedy(start + tokens.length)) : Optional.empty();
        return new StepInput.Item(slot, tokens, start, tokens.length, tables, draw);
    }

    private static SampleRequest greedy(int position) {
        return new SampleRequest(0, 0, 1, 0, 1, new int[0], SEED, position, Optional.empty(), OptionalInt.empty());
    }

    private void step(List<StepInput.Item> items) {
        runner.launch(new StepInput(items));
        StepOutput output = runner.collect();
        int drawn = 0;
        for (StepInput.Item item : items) {
            if (item.sample().isPresent()) {
                newest[item.slot()] = output.sampled().get(drawn++).id();
            }
        }
    }
}
