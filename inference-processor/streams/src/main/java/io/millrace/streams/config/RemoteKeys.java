package io.millrace.streams.config;

import io.millrace.streams.config.Key.Derived;
import io.millrace.streams.config.Key.Fixed;
import io.millrace.streams.config.Key.NamedSections;
import io.millrace.streams.config.Key.NamedValues;
import io.millrace.streams.config.Key.Section;
import io.millrace.streams.config.ValueType.Bool;
import io.millrace.streams.config.ValueType.Bytes;
import io.millrace.streams.config.ValueType.Choice;
import io.millrace.streams.config.ValueType.Decimal;
import io.millrace.streams.config.ValueType.Linear;
import io.millrace.streams.config.ValueType.SecretPlace;
import io.millrace.streams.config.ValueType.Text;
import io.millrace.streams.config.ValueType.Time;
import io.millrace.streams.config.ValueType.Url;
import io.millrace.streams.config.ValueType.Whole;
import java.time.Duration;
import java.util.List;

/** The keys of a model on servers. */
final class RemoteKeys {

    private static final Url HTTP = new Url(List.of("http", "https"));
    private static final Text FILE = new Text("\\S.*", "a file's path");
    private static final Text ONE_LINE = new Text("\\S[^\\r\\n]{0,999}", "one line of at most 1000 characters");
    private static final Text HEADER = new Text("[!-~][ -~]{0,999}", "one line of at most 1000 ASCII characters");
    private static final Duration MOST_TIME = Duration.ofDays(1);

    private static final List<Key> ENDPOINT = List.of(
            Key.of(
                    "url",
                    HTTP,
                    new Derived("none: it must be given"),
                    "",
                    "Where the API begins: `http://HOST:8000/v1` for `openai`, the address before `/v2` for `open-inference`."),
            Key.of(
                    "max_in_flight",
                    new Whole(1, ConfigKeys.MANY),
                    new Derived("`max_num_seqs`; an adaptive limit finds what is below"),
                    "requests",
                    "Most requests in flight to this endpoint."),
            Key.of(
                    "max_tokens_in_flight",
                    new Whole(1, 1_000_000_000_000L),
                    new Derived("none"),
                    "tokens",
                    "Most tokens of those requests' prompts and `max_tokens` together: what the server's KV cache holds."),
            Key.of(
                    "metrics_url",
                    HTTP,
                    new Derived("`/metrics` at `url`'s host and port"),
                    "",
                    "Where its metrics are, for `slack.signal`. Triton has them at another port: `http://HOST:8002/metrics`."));

    private static final List<Key> TENSORS = List.of(
            Key.of(
                    "input",
                    new Text("\\S+", "a tensor's name"),
                    new Fixed("text_input", "Triton's for language models"),
                    "",
                    "Takes the prompt, BYTES."),
            Key.of(
                    "output",
                    new Text("\\S+", "a tensor's name"),
                    new Fixed("text_output", "Triton's for language models"),
                    "",
                    "Holds the answer: text of BYTES, or a vector of FP32 for embed."),
            Key.of(
                    "batched",
                    new Bool(),
                    new Fixed("false", "the shape is [1]"),
                    "",
                    "Whether the input's first dimension is a batch: its shape is [1, 1]."));

    private static final List<Key> TLS = List.of(
            Key.of("ca_file", FILE, new Derived("those that the JDK trusts"), "", "Certificates to trust, PEM."),
            Key.of(
                    "certificate_file",
                    FILE,
                    new Derived("none"),
                    "",
                    "Our certificate and its chain, PEM; with `key_file`."),
            Key.of("key_file", FILE, new Derived("none"), "", "Its key, PEM: PKCS #8, not encrypted."));

    private static final List<Key> RETRIES = List.of(
            Key.of(
                    "max_attempts",
                    new Whole(1, 100),
                    new Fixed("3", "a broken answer is rarely broken thrice"),
                    "attempts",
                    "At a prompt whose answer is broken or an error of the server; then it fails with `ENGINE_ERROR`. A server that is away or busy costs no attempt: its prompts wait."),
            Key.of(
                    "budget",
                    new Decimal(0, true, 1),
                    new Fixed("0.2", "one for five requests: retries never double the load"),
                    "",
                    "Retries for each request, in the long run; what is above waits."),
            Key.of(
                    "first_backoff",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("200ms", "a restart of a proxy"),
                    "",
                    "Before the second attempt; doubles with each, with jitter. A server's `Retry-After` counts more."),
            Key.of(
                    "longest_backoff",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("30s", "a server that is back is found within it"),
                    "",
                    "What it grows to."));

    private static final List<Key> BREAKER = List.of(
            Key.of(
                    "failure_rate",
                    new Decimal(0, true, 1),
                    new Fixed("0.5", ""),
                    "",
                    "Of the last attempts, at which an endpoint is left alone."),
            Key.of("window", new Whole(1, 10_000), new Fixed("20", ""), "attempts", "That the rate is of."),
            Key.of(
                    "open_time",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("10s", ""),
                    "",
                    "Until a few attempts try it again."));

    private static final List<Key> SLACK = List.of(
            Key.of(
                    "url",
                    HTTP,
                    new Derived("for `signal` each endpoint's `metrics_url`; for `query` it must be given: Prometheus"),
                    "",
                    "Where the signal is read. `api_key` and the headers go along where that is an endpoint's own host and port, and nowhere else."),
            Key.of(
                    "signal",
                    new Text(
                            "[A-Za-z_:][A-Za-z0-9_:]*(\\{LABEL(, ?LABEL)*})?"
                                    .replace("LABEL", "[A-Za-z_][A-Za-z0-9_]*=\"[^\"\\\\]*\""),
                            "a metric's name, perhaps with labels: NAME{LABEL=\"VALUE\"}"),
                    new Derived("none: this or `query`"),
                    "",
                    "A metric of the server's, such as `vllm:num_requests_waiting` or `nv_inference_pending_request_count{model=\"llm\"}`; of several series the sum."),
            Key.of(
                    "query",
                    ONE_LINE,
                    new Derived("none: this or `signal`"),
                    "",
                    "PromQL, asked of Prometheus at `url`."),
            Key.of(
                    "interval",
                    new Time(Duration.ofMillis(10), MOST_TIME),
                    new Fixed("1s", ""),
                    "",
                    "Between two readings; from one to the next, requests in flight at most double, and one more."),
            Key.of(
                    "max_age",
                    new Time(Duration.ofMillis(10), MOST_TIME),
                    new Fixed("10s", "ten readings"),
                    "",
                    "Of the last reading; beyond it nothing is sent."),
            Key.of(
                    "curve",
                    new Linear(),
                    new Fixed("0:1, 4:0.5, 8:0", "a few waiting requests of others halve it, more stop it"),
                    "",
                    "The signal's value to the fraction of all budgets, linear between points."));

    static final List<Key> ALL = List.of(
            Key.of(
                    "protocol",
                    new Choice(List.of("openai", "open-inference")),
                    new Fixed("openai", "vLLM, SGLang, NIM, llama.cpp and most services"),
                    "",
                    "What the servers speak: OpenAI's API, or the Open Inference Protocol (KServe v2, Triton)."),
            Key.of("model", ONE_LINE, new Derived("the model's name here"), "", "The servers' name for the model."),
            new Key(
                    "endpoints",
                    new NamedSections("an endpoint's name", new Section(ENDPOINT)),
                    new Derived("none: at least one must be given"),
                    "",
                    "Servers of this model, by names that appear in results and metrics."),
            Key.of(
                    "choice",
                    new Choice(List.of("least_tokens", "prefix_affinity")),
                    new Fixed("least_tokens", "keeps all equally full"),
                    "",
                    "Which of several endpoints gets a prompt; `prefix_affinity` prefers one that had the same beginning before, whose prefix cache has it."),
            Key.of(
                    "api_key",
                    new SecretPlace(),
                    new Derived("none"),
                    "",
                    "Sent as `Authorization: Bearer …`. A file is read each time, so that a key may be replaced."),
            new Key(
                    "headers",
                    new NamedValues("a header's name", HEADER),
                    new Derived("none"),
                    "",
                    "Sent with each request."),
            new Key(
                    "secret_headers",
                    new NamedValues("a header's name", new SecretPlace()),
                    new Derived("none"),
                    "",
                    "Sent with each request; each value is the place of one."),
            new Key(
                    "extra_body",
                    new Key.Json(),
                    new Derived("none"),
                    "",
                    "Members put into the JSON body of every request, for parameters that are not known here; a prompt's own `extra_body` comes over them."),
            Key.section("tls", "Certificates, for `https`.", TLS),
            Key.of("proxy", new Url(List.of("http")), new Derived("none"), "", "An HTTP proxy."),
            Key.of(
                    "http_version",
                    new Choice(List.of("1.1", "2")),
                    new Fixed("1.1", "what model servers serve best"),
                    "",
                    "Highest version of HTTP to speak."),
            Key.of(
                    "connect_timeout",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("5s", ""),
                    "",
                    "For a connection."),
            Key.of(
                    "read_timeout",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("2m", "longer than a full server takes to the first token"),
                    "",
                    "For which a server may send nothing."),
            Key.of(
                    "total_timeout",
                    new Time(Duration.ofMillis(1), MOST_TIME),
                    new Fixed("1h", ""),
                    "",
                    "For one attempt."),
            Key.of(
                    "max_response_bytes",
                    new Bytes(1, 1L << 31),
                    new Fixed("16MiB", "a stream has some hundred bytes for each token"),
                    "",
                    "Of one response; a longer one is broken."),
            Key.section("retries", "How often, and how soon, a broken answer is asked for again.", RETRIES),
            Key.section("breaker", "When an endpoint is left alone for a while.", BREAKER),
            Key.of(
                    "method",
                    new Choice(List.of("generate", "generate_stream", "infer")),
                    new Fixed("generate", "what Triton has for language models"),
                    "",
                    "`open-inference` only: Triton's `generate`, or `generate_stream` for models that stream (decoupled ones), or `infer` with named tensors. Triton goes on with what is cancelled here, unless it streams."),
            Key.section("tensors", "`open-inference` only: the model's tensors.", TENSORS),
            Key.section(
                    "slack",
                    "Where the servers serve live traffic too: take only what that leaves. Off unless `signal` or `query` is given.",
                    SLACK));

    private RemoteKeys() {}
}
