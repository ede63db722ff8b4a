package io.millrace.llm.model;

import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Generates for several prompts together, as plainly as the runner allows: each sequence has its own blocks, prompts go in chunks. */
final class Generation {

    static final int BLOCK_SIZE = 16;

    private final ModelRunner runner;
    private final int maxTokens;
    private final int chunk;
    private final int logprobs;
    private final List<Sequence> sequences = new ArrayList<>();

    private static final class Sequence {

        private final List<Integer> tokens = new ArrayList<>();
        private final List<PositionLogprobs> logprobs = new ArrayList<>();
        private int promptLength;
        private int computed;
        private int firstBlock;
        private int blocks;
    }

    /** What one prompt got. */
    record Result(List<Integer> tokens, List<PositionLogprobs> logprobs) {}

    private Generation(ModelRunner runner, int maxTokens, int chunk, int logprobs) {
        this.runner = runner;
        this.maxTokens = maxTokens;
        this.chunk = chunk;
        this.logprobs = logprobs;
    }

    /** Greedy tokens, and the {@code logprobs} best at each position. */
    static List<Result> greedy(LoadedModel model, List<int[]> prompts, int maxTokens, int chunk, int logprobs) {
        int longest = prompts.stream().mapToInt(p -> p.length).max().orElseThrow();
        int blocks = Math.ceilDiv(longest + maxTokens, BLOCK_SIZE);
        RunnerLimits limits =
                new RunnerLimits(Math.max(chunk, prompts.size()), prompts.size(), blocks * prompts.size(), BLOCK_SIZE);
        try (ModelRunner runner = new ModelRunner(model, limits)) {
            Generation generation = new Generation(runner, maxTokens, chunk, logprobs);
            for (int[] prompt : prompts) {
                generation.add(prompt, blocks);
            }
            while (generation.step()) {}
            return generation.sequences.stream()
                    .map(s -> new Result(s.tokens.subList(s.promptLength, s.tokens.size()), s.logprobs))
                    .toList();
        }
    }

    private void add(int[] prompt, int blocks) {
        Sequence sequence = new Sequence();
        Arrays.stream(prompt).forEach(sequence.tokens::add);
        sequence.promptLength = prompt.length;
        sequence.firstBlock = sequences.size() * blocks;
        sequence.blocks = blocks;
        sequences.add(sequence);
    }

    /** One step over all sequences that are not done, prompts in chunks while the budget lasts. */
    private boolean step() {
        List<StepInput.Item> items = new ArrayList<>();
        List<Sequence> drawn = new ArrayList<>();
        int budget = Math.max(chunk, sequences.size());
        for (int slot = 0; slot < sequences.size(); slot++) {
            Sequence sequence = sequences.get(slot);
            int count = Math.min(Math.min(sequence.tokens.size() - sequence.computed, chunk), budget);
            if (count == 0 || sequence.tokens.size() - sequence.promptLength >= maxTokens) {
                continue;
            }
            items.add(item(slot, sequence, count));
            sequence.computed += count;
            budget -= count;
            if (sequence.computed == sequence.tokens.size()) {
                drawn.add(sequence);
            }
        }
        if (items.isEmpty()) {
            return false;
        }
        runner.launch(new StepInput(items));
        List<SampledToken> sampled = runner.collect().sampled();
        for (int i = 0; i < drawn.size(); i++) {
            drawn.get(i).tokens.add(sampled.get(i).id());
            drawn.get(i).logprobs.add(sampled.get(i).logprobs().orElseThrow());
        }
        return true;
    }

    private StepInput.Item item(int slot, Sequence sequence, int count) {
        int end = sequence.computed + count;
        int[] tokens = sequence.tokens.subList(sequence.computed, end).stream()
                .mapToInt(Integer::intValue)
                .toArray();
        int[] table = new int[Math.ceilDiv(end, BLOCK_SIZE)];
        for (int i = 0; i < table.length; i++) {
            table[i] = sequence.firstBlock + sequence.blocks - 1 - i;
        }
        Optional<SampleRequest> sample = end == sequence.tokens.size() ? Optional.of(greedyAt(end)) : Optional.empty();
        return new StepInput.Item(slot, tokens, sequence.computed, count, new int[][] {table}, sample);
    }

    private SampleRequest greedyAt(int position) {
        return new SampleRequest(0, 0, 1, 0, 1, new int[0], 0, position, Optional.empty(), OptionalInt.of(logprobs));
    }
}
