package io.millrace.llm.runtime;

import io.millrace.llm.kvcache.KvBlocks;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * An engine's budgets, derived term by term from the model, the options and the memory.
 *
 * @param schedulerLimits what bounds steps and KV blocks
 * @param kvCacheBytes memory of the KV cache
 * @param maxWaiting most requests that wait
 * @param defaultMaxTokens answer length of a request that states none
 * @param terms how each came about, for people
 */
public record EngineBudgets(
        SchedulerLimits schedulerLimits, long kvCacheBytes, int maxWaiting, int defaultMaxTokens, List<Term> terms) {

    /**
     * Tokens, prompt and answer, for which each sequence of a full batch finds room in the default KV cache. Requests of
     * classification, extraction and short answers stay below; where longer ones meet, sequences wait or are preempted.
     */
    static final int DEFAULT_TOKENS_PER_SEQUENCE = 512;

    /** The default KV cache takes at most this part of the heap: weights, activations and the program need the rest. */
    static final int DEFAULT_MEMORY_DIVISOR = 4;

    public EngineBudgets {
        terms = List.copyOf(terms);
    }

    /** What the budgets need to know of a model. */
    record ModelShape(int contextLength, long kvBytesPerToken, int kvGroups) {}

    /** A budget and where it comes from. */
    public record Term(String name, long value, String unit, String derivation) {}

    /** Most tokens of prompt and answer together. */
    public int maxModelLen() {
        return schedulerLimits.maxModelLen();
    }

    /** A readable block, a line per term. */
    public String describe() {
        StringBuilder block = new StringBuilder();
        for (Term term : terms) {
            block.append(String.format(
                    Locale.ROOT, "%n  %-22s %,15d %-9s %s", term.name(), term.value(), term.unit(), term.derivation()));
        }
        return block.toString();
    }

    /**
     * Derives the budgets.
     *
     * @param memoryBytes most heap that the process may use; backends of this release keep the cache there
     * @throws IllegalArgumentException when the options ask for what the model or the memory cannot give
     */
    static EngineBudgets derive(ModelShape model, LlmEngineOptions options, long memoryBytes) {
        return new Derivation(model, options, memoryBytes).run();
    }

    private static final class Derivation {
        private final ModelShape model;
        private final LlmEngineOptions options;
        private final long memoryBytes;
        private final List<Term> terms = new ArrayList<>();

        Derivation(ModelShape model, LlmEngineOptions options, long memoryBytes) {
            this.model = model;
            this.options = options;
            this.memoryBytes = memoryBytes;
        }

        EngineBudgets run() {
            int maxNumSeqs = options.maxNumSeqs();
            note("max_num_seqs", maxNumSeqs, "sequences", "option");
            note("kv_bytes_per_token", model.kvBytesPerToken(), "bytes", "keys and values of all layers");
            int longest = longestByContext();
            int numBlocks = numBlocks(longest);
            int maxModelLen = maxModelLen(longest, numBlocks);
            int maxNumBatchedTokens = maxNumBatchedTokens(maxModelLen);
            note("max_waiting", options.maxWaiting(), "requests", "option");
            note("default_max_tokens", options.defaultMaxTokens(), "tokens", "option");
            PrefillMode mode = options.enableChunkedPrefill() ? PrefillMode.CHUNKED : PrefillMode.WHOLE;
            SchedulerLimits limits = new SchedulerLimits(
                    maxNumBatchedTokens,
                    maxNumSeqs,
                    maxModelLen,
                    numBlocks,
                    options.blockSize(),
                    model.kvGroups(),
                    mode);
            long kvCacheBytes = numBlocks * blockBytes();
            return new EngineBudgets(limits, kvCacheBytes, options.maxWaiting(), options.defaultMaxTokens(), terms);
        }

        /** What max_model_len may be at most before memory is looked at. */
        private int longestByContext() {
            OptionalInt asked = options.maxModelLen();
            if (asked.isPresent() && asked.getAsInt() > model.contextLength()) {
                throw wrong(
                        "max_model_len", asked.getAsInt(), "at most the model's context of " + model.contextLength());
            }
            int longest = asked.orElse(model.contextLength());
            OptionalInt batched = options.maxNumBatchedTokens();
            if (options.enableChunkedPrefill() || batched.isEmpty() || batched.getAsInt() >= longest) {
                return longest;
            }
            if (asked.isPresent()) {
                throw wrong(
                        "max_num_batched_tokens",
                        batched.getAsInt(),
                        "at least max_model_len=" + longest + ", for enable_chunked_prefill=false");
            }
            return batched.getAsInt();
        }

        private int numBlocks(int longest) {
            long bytes = options.kvCacheMemoryBytes().orElseGet(() -> defaultKvCacheBytes(longest));
            if (options.kvCacheMemoryBytes().isPresent()) {
                note("kv_cache_memory", bytes, "bytes", "option");
            }
            note("block_size", options.blockSize(), "tokens", "option");
            long usable = (long) options.maxNumSeqs() * KvBlocks.blocksFor(longest, options.blockSize());
            long blocks = Math.min(bytes / blockBytes(), usable);
            if (blocks < 1) {
                throw wrong("kv_cache_memory", bytes, "at least a block of " + blockBytes() + " bytes");
            }
            note(
                    "num_blocks",
                    blocks,
                    "blocks",
                    blocks == usable
                            ? "max_num_seqs × the blocks of max_model_len: more could not be used"
                            : "kv_cache_memory / (block_size × kv_bytes_per_token)");
            return Math.toIntExact(blocks);
        }

        private long defaultKvCacheBytes(int longest) {
            long batch = (long) options.maxNumSeqs() * Math.min(longest, DEFAULT_TOKENS_PER_SEQUENCE);
            long wanted = Math.max(batch, longest) * model.kvBytesPerToken();
            long most = memoryBytes / DEFAULT_MEMORY_DIVISOR;
            String derivation = wanted > most
                    ? "a quarter of the heap of " + memoryBytes + " bytes (java -Xmx)"
                    : batch >= longest
                            ? "max_num_seqs × " + Math.min(longest, DEFAULT_TOKENS_PER_SEQUENCE)
                                    + " tokens × kv_bytes_per_token"
                            : "one sequence of " + longest + " tokens × kv_bytes_per_token";
            long bytes = Math.min(wanted, most);
            note("kv_cache_memory", bytes, "bytes", derivation);
            return bytes;
        }

        private int maxModelLen(int longest, int numBlocks) {
            long capacity = (long) numBlocks * options.blockSize();
            if (capacity < longest && options.maxModelLen().isPresent()) {
                long needed = KvBlocks.blocksFor(longest, options.blockSize()) * blockBytes();
                throw wrong(
                        "max_model_len",
                        longest,
                        "at most " + capacity + ", which is what the KV cache holds; kv_cache_memory=" + needed
                                + " bytes would do");
            }
            int value = (int) Math.min(capacity, longest);
            if (value < 2) {
                throw wrong("kv_cache_memory", numBlocks * blockBytes(), "room for 2 tokens or more");
            }
            note("max_model_len", value, "tokens", maxModelLenReason(value));
            return value;
        }

        private String maxModelLenReason(int value) {
            if (options.maxModelLen().isPresent()) {
                return "option";
            }
            if (value == model.contextLength()) {
                return "the model's context";
            }
            return value == options.maxNumBatchedTokens().orElse(0) && !options.enableChunkedPrefill()
                    ? "max_num_batched_tokens: prompts go in whole"
                    : "num_blocks × block_size, less than the model's context of " + model.contextLength();
        }

        private int maxNumBatchedTokens(int maxModelLen) {
            if (options.maxNumBatchedTokens().isPresent()) {
                int value = options.maxNumBatchedTokens().getAsInt();
                note("max_num_batched_tokens", value, "tokens", "option");
                return value;
            }
            int least =
                    options.enableChunkedPrefill() ? options.maxNumSeqs() : Math.max(options.maxNumSeqs(), maxModelLen);
            int value = Math.max(LlmEngineOptions.DEFAULT_MAX_NUM_BATCHED_TOKENS, least);
            String reason = value > least
                    ? "default"
                    : options.enableChunkedPrefill() ? "max_num_seqs" : "max_model_len: prompts go in whole";
            note("max_num_batched_tokens", value, "tokens", reason);
            return value;
        }

        private long blockBytes() {
            return options.blockSize() * model.kvBytesPerToken();
        }

        private void note(String name, long value, String unit, String derivation) {
            terms.add(new Term(name, value, unit, derivation));
        }

        private static IllegalArgumentException wrong(String name, long value, String expected) {
            return new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }
}
