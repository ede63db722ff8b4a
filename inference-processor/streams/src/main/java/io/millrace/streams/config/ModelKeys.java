package io.millrace.streams.config;

import io.millrace.streams.config.Key.Derived;
import io.millrace.streams.config.Key.Fixed;
import io.millrace.streams.config.ValueType.Bool;
import io.millrace.streams.config.ValueType.Bytes;
import io.millrace.streams.config.ValueType.Choice;
import io.millrace.streams.config.ValueType.Decimal;
import io.millrace.streams.config.ValueType.Source;
import io.millrace.streams.config.ValueType.Text;
import io.millrace.streams.config.ValueType.Whole;
import java.util.List;

/** The keys of one model. Budgets have vLLM's names. */
final class ModelKeys {
    private static final List<Key> DEFAULT_SAMPLING = List.of(
            Key.of(
                    "temperature",
                    new Decimal(0, false, 2),
                    new Fixed("1", "OpenAI's and vLLM's default"),
                    "",
                    "0 always takes the most probable token; higher is more varied."),
            Key.of(
                    "top_p",
                    new Decimal(0, true, 1),
                    new Fixed("1", "keeps all"),
                    "",
                    "Keep the most probable tokens whose probabilities sum to this."),
            Key.of(
                    "top_k",
                    new Whole(0, Integer.MAX_VALUE),
                    new Fixed("0", "keeps all"),
                    "tokens",
                    "Keep this many most probable tokens."),
            Key.of(
                    "min_p",
                    new Decimal(0, false, 1),
                    new Fixed("0", "keeps all"),
                    "",
                    "Drop tokens less probable than this fraction of the most probable one."),
            Key.of(
                    "repetition_penalty",
                    new Decimal(0, true, 10),
                    new Fixed("1", "none"),
                    "",
                    "Above 1 makes tokens that are already there less probable."));

    static final List<Key> ALL = List.of(
            Key.of(
                    "source",
                    new Source(),
                    new Derived("known for `smollm2-135m-instruct` only; any other model must name one"),
                    "",
                    "Where the model's GGUF file comes from."),
            Key.of(
                    "sha256",
                    new Text("[0-9a-fA-F]{64}", "64 hexadecimal digits"),
                    new Derived("none: a remote file is then taken as it comes, with a warning"),
                    "",
                    "Digest of the file; checked before the first use and whenever the file changed."),
            Key.of(
                    "size",
                    new Bytes(1, 1L << 50),
                    new Derived("none"),
                    "",
                    "Size of the file; a file of another size is refused before it is downloaded."),
            Key.of(
                    "version",
                    new Text("\\S.{0,99}", "at most 100 characters"),
                    new Derived("none"),
                    "",
                    "Reported in each result as `model_version`."),
            Key.of("engine", new Choice(List.of("llm")), new Fixed("llm", ""), "", "Kind of engine."),
            Key.of(
                    "backend",
                    new Choice(List.of("auto", "cpu", "reference")),
                    new Fixed("auto", "the fastest that works here, said in the log"),
                    "",
                    "What the engine computes with. One that is named and does not work stops start-up."),
            Key.of(
                    "max_model_len",
                    new Whole(2, 10_000_000),
                    new Derived("the model's context, or what `kv_cache_memory` holds if that is less"),
                    "tokens",
                    "Most tokens of prompt and answer together."),
            Key.of(
                    "max_num_batched_tokens",
                    new Whole(1, ConfigKeys.MANY),
                    new Derived(
                            "512, about where prefill on CPUs stops gaining; more if `max_num_seqs`, or whole prompts without `enable_chunked_prefill`, need it"),
                    "tokens",
                    "Most tokens of one step; at least `max_num_seqs`."),
            Key.of(
                    "max_num_seqs",
                    new Whole(1, 4_096),
                    new Fixed("32", "decode on CPUs gains little beyond"),
                    "sequences",
                    "Most sequences that run at once."),
            Key.of(
                    "block_size",
                    new Whole(1, 256),
                    new Fixed("16", "vLLM's; half a block is lost for each sequence"),
                    "tokens",
                    "Tokens of one block of the KV cache."),
            Key.of(
                    "kv_cache_memory",
                    new Bytes(1 << 16, 1L << 50),
                    new Derived(
                            "by the engine from the model's bytes for each token, `max_num_seqs` and the heap (-Xmx); logged term by term"),
                    "",
                    "Memory of the KV cache's blocks. When they run out, sequences are preempted and computed again later."),
            Key.of(
                    "enable_chunked_prefill",
                    new Bool(),
                    new Fixed("true", "a long prompt does not hold up running answers"),
                    "",
                    "Whether a long prompt is computed in pieces. Without it `max_num_batched_tokens` must hold a whole prompt."),
            Key.of(
                    "threads",
                    new Whole(0, 1_024),
                    new Fixed("0", "one for each core"),
                    "threads",
                    "Threads that compute; 0 for one each core."),
            Key.of(
                    "max_waiting",
                    new Whole(1, ConfigKeys.MANY),
                    new Fixed(
                            "1024",
                            "above the usual `max_pending`, so that fairness among tenants sees all that is pending"),
                    "requests",
                    "Requests that wait in the engine; more wait in the pending store."),
            Key.of(
                    "default_max_tokens",
                    new Whole(1, 10_000_000),
                    new Fixed("256", "a long paragraph"),
                    "tokens",
                    "Most tokens of an answer whose prompt has no `max_tokens`."),
            Key.section("default_sampling", "Sampling parameters of prompts that name none.", DEFAULT_SAMPLING));

    private ModelKeys() {}
}
