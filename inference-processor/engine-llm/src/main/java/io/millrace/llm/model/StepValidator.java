package io.millrace.llm.model;

import io.millrace.llm.backend.StepInput;
import io.millrace.llm.sampler.SampleRequest;
import java.util.BitSet;
import java.util.function.Supplier;

/** Holds a step against its contract: a wrong id must not become a wrong memory access. */
final class StepValidator {

    private static final int[] NONE = {};

    private final ModelConfig config;
    private final RunnerLimits limits;

    StepValidator(ModelConfig config, RunnerLimits limits) {
        this.config = config;
        this.limits = limits;
    }

    void check(StepInput step) {
        int items = step.items().size();
        require("items", items, items >= 1 && items <= limits.maxNumSeqs(), () -> "1 to " + limits.maxNumSeqs());
        BitSet slots = new BitSet(limits.maxNumSeqs());
        long tokens = 0;
        for (StepInput.Item item : step.items()) {
            checkSlot(item, slots);
            checkTokens(item);
            checkBlocks(item);
            item.sample().ifPresent(this::checkSample);
            tokens += item.count();
        }
        int most = limits.maxNumBatchedTokens();
        require("tokens", tokens, tokens <= most, () -> "at most " + most);
    }

    private void checkSlot(StepInput.Item item, BitSet slots) {
        below("slot", item.slot(), limits.maxNumSeqs());
        require("slot", item.slot(), !slots.get(item.slot()), () -> "one item per slot");
        slots.set(item.slot());
    }

    private void checkTokens(StepInput.Item item) {
        int given = item.tokens().length;
        require("count", item.count(), item.count() >= 1, () -> "at least 1");
        require("tokens", given, given == item.count(), () -> "count=" + item.count());
        for (int token : item.tokens()) {
            below("token", token, config.vocab());
        }
    }

    private void checkBlocks(StepInput.Item item) {
        int groups = config.kvGroups().size();
        require("block tables", item.blockTables().length, item.blockTables().length == groups, () -> "" + groups);
        require("start", item.start(), item.start() >= 0, () -> "at least 0");
        long positions = (long) item.start() + item.count();
        long needed = Math.ceilDiv(positions, limits.blockSize());
        for (int[] table : item.blockTables()) {
            require("blocks", table.length, table.length >= needed, () -> needed + " for " + positions + " positions");
            for (int block : table) {
                below("block", block, limits.numBlocks());
            }
        }
    }

    private void checkSample(SampleRequest request) {
        int words = Math.ceilDiv(config.vocab(), Long.SIZE);
        if (request.allowed().isPresent()) {
            int length = request.allowed().get().length;
            require("allowed", length, length == words, () -> words + " words for " + config.vocab() + " ids");
        }
        for (int token : request.repetitionPenalty() == 1 ? NONE : request.history()) {
            below("history", token, config.vocab());
        }
    }

    private static void below(String name, int value, int limit) {
        require(name, value, value >= 0 && value < limit, () -> "0 to " + (limit - 1));
    }

    private static void require(String name, long value, boolean valid, Supplier<String> expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected.get());
        }
    }
}
