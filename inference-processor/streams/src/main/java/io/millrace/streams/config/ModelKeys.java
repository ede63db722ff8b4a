package io.millrace.streams.config;

import io.millrace.streams.config.Key.Derived;
import io.millrace.streams.config.Key.Fixed;
import io.millrace.streams.config.ValueType.Bool;
import io.millrace.streams.config.ValueType.Bytes;
import io.millrace.streams.config.ValueType.Choice;
import io.millrace.streams.config.ValueType.Decimal;
import io.millrace.streams.config.ValueType.Source;
import io.millrace.streams.config.ValueType.Text;
import io.millrace.streams.config.ValueType.Time;
import io.millrace.streams.config.ValueType.Whole;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The keys of one model. Budgets have vLLM's names. Those of one kind of engine say so, and are errors for any other. */
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

    private static final List<Key> LLM = List.of(
            Key.of(
                    "source",
                    new Source(),
                    new Derived("known for `smollm2-135m-instruct` only; any other model must name one"),
                    "",
                    "`llm` only: where the model's GGUF file comes from."),
            Key.of(
                    "sha256",
                    new Text("[0-9a-fA-F]{64}", "64 hexadecimal digits"),
                    new Derived("none: a remote file is then taken as it comes, with a warning"),
                    "",
                    "`llm` only: digest of the file; checked before the first use and whenever the file changed."),
            Key.of(
                    "size",
                    new Bytes(1, 1L << 50),
                    new Derived("none"),
                    "",
                    "`llm` only: size of the file; a file of another size is refused before it is downloaded."),
            Key.of(
                    "backend",
                    new Choice(List.of("auto", "cpu", "reference")),
                    new Fixed("auto", "the fastest that works here, said in the log"),
                    "",
                    "`llm` only: what the engine computes with. One that is named and does not work stops start-up."),
            Key.of(
                    "max_num_batched_tokens",
                    new Whole(1, ConfigKeys.MANY),
                    new Derived(
                            "512, about where prefill on CPUs stops gaining; more if `max_num_seqs`, or whole prompts without `enable_chunked_prefill`, need it"),
                    "tokens",
                    "`llm` only: most tokens of one step; at least `max_num_seqs`."),
            Key.of(
                    "block_size",
                    new Whole(1, 256),
                    new Fixed("16", "vLLM's; half a block is lost for each sequence"),
                    "tokens",
                    "`llm` only: tokens of one block of the KV cache."),
            Key.of(
                    "kv_cache_memory",
                    new Bytes(1 << 16, 1L << 50),
                    new Derived(
                            "by the engine from the model's bytes for each token, `max_num_seqs` and the heap (-Xmx); logged term by term"),
                    "",
                    "`llm` only: memory of the KV cache's blocks. When they run out, sequences are preempted and computed again later."),
            Key.of(
                    "enable_chunked_prefill",
                    new Bool(),
                    new Fixed("true", "a long prompt does not hold up running answers"),
                    "",
                    "`llm` only: whether a long prompt is computed in pieces. Without it `max_num_batched_tokens` must hold a whole prompt."),
            Key.of(
                    "threads",
                    new Whole(0, 1_024),
                    new Fixed("0", "one for each core"),
                    "threads",
                    "`llm` only: threads that compute; 0 for one each core."));

    private static final List<Key> ECHO = List.of(
            Key.of(
                    "delay",
                    new Time(Duration.ZERO, Duration.ofHours(1)),
                    new Fixed("0ms", "tests wait for nothing"),
                    "",
                    "From the start of a prompt to its first word."),
            Key.of(
                    "tokens_per_second",
                    new Decimal(0, true, 1_000_000),
                    new Fixed("1000000", "as good as at once"),
                    "words",
                    "That each prompt gets a second after its first."));

    private static final List<Key> COMMON = List.of(
            Key.of(
                    "engine",
                    new Choice(List.of(LlmSettings.ENGINE, RemoteSettings.ENGINE, EchoSettings.ENGINE)),
                    new Fixed(LlmSettings.ENGINE, ""),
                    "",
                    "Kind of engine. `llm` computes here, from a GGUF file; `remote` asks a model server over HTTP; `echo` answers with the prompt's own words, without a model, for tests and load tests."),
            Key.of(
                    "version",
                    new Text("\\S.{0,99}", "at most 100 characters"),
                    new Derived("none, or for `remote` what the server reports"),
                    "",
                    "Reported in each result as `model_version`."),
            Key.of(
                    "max_model_len",
                    new Whole(2, 10_000_000),
                    new Derived(
                            "`llm`: the model's context, or what `kv_cache_memory` holds if that is less; `remote`: the server's; `echo`: "
                                    + EchoSettings.DEFAULT_MAX_MODEL_LEN),
                    "tokens",
                    "Most tokens of prompt and answer together."),
            Key.of(
                    "max_num_seqs",
                    new Whole(1, 4_096),
                    new Derived("`llm`: " + LlmSettings.DEFAULT_MAX_NUM_SEQS
                            + ", as decode on CPUs gains little beyond; `remote` and `echo`: "
                            + RemoteSettings.DEFAULT_MAX_NUM_SEQS + ", vLLM's"),
                    "sequences",
                    "Most sequences that run at once; of a `remote` model the most requests in flight over all endpoints, below which an adaptive limit finds how many a server takes."),
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

    private static final List<Key> REMOTE_SECTION =
            List.of(Key.section("remote", "`remote` only: the servers, and how they are asked.", RemoteKeys.ALL));
    private static final List<Key> ECHO_SECTION = List.of(Key.section("echo", "`echo` only: its pace.", ECHO));

    /** Keys that only one kind of engine has, by that engine. */
    static final Map<String, List<Key>> BY_ENGINE = Map.of(
            LlmSettings.ENGINE, LLM,
            RemoteSettings.ENGINE, REMOTE_SECTION,
            EchoSettings.ENGINE, ECHO_SECTION);

    static final List<Key> ALL = Stream.of(COMMON, LLM, REMOTE_SECTION, ECHO_SECTION)
            .flatMap(List::stream)
            .toList();

    private ModelKeys() {}
}
