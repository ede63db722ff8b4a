package io.millrace.streams.config;

import io.millrace.streams.config.Key.Derived;
import io.millrace.streams.config.Key.Fixed;
import io.millrace.streams.config.Key.NamedSections;
import io.millrace.streams.config.Key.Properties;
import io.millrace.streams.config.Key.Section;
import io.millrace.streams.config.ValueType.Bool;
import io.millrace.streams.config.ValueType.Bytes;
import io.millrace.streams.config.ValueType.Choice;
import io.millrace.streams.config.ValueType.Text;
import io.millrace.streams.config.ValueType.Time;
import io.millrace.streams.config.ValueType.Whole;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** All keys of the file. The reader, {@code ops/config/millrace.schema.json} and {@code ops/config/README.md} come from here. */
final class ConfigKeys {
    /** Where numbers have no bound of their own. */
    static final long MANY = 1_000_000;

    private static final Text TOPIC =
            new Text("(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}", "a topic's name: letters, digits and . _ -, at most 249");
    private static final Text WORD = new Text(
            "[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}", "letters, digits and . _ -, at most 100, a letter or digit first");

    private static final List<Key> TOPICS = List.of(
            topic("prompts", "Prompts are read from here."),
            topic("results", "Answers go here."),
            topic("metrics", "One record for each answer or failure: latencies, tokens, batch share."),
            topic("engine_metrics", "engine-metrics", "One record for each engine and second."),
            topic("failures", "Prompts that get no answer go here, each with a code and a message."),
            topic("dead_letters", "dead-letters", "Records that cannot be decoded go here, byte for byte."),
            topic("control", "Cancel, pause and resume commands; every instance reads all of it."),
            Key.of(
                    "partitions",
                    new Whole(1, 10_000),
                    new Fixed(
                            "16",
                            "the prompts topic cannot grow while anything is pending: 4 for each instance one will ever run"),
                    "partitions",
                    "Of each topic that `topics create` makes, but `control`."),
            Key.of(
                    "replication_factor",
                    new Whole(1, 32),
                    new Fixed("1", "works on a single broker; 3 on a cluster that must not lose data"),
                    "replicas",
                    "Of each topic that `topics create` makes."));

    private static final List<Key> DEDUPLICATION = List.of(
            Key.of(
                    "window",
                    new Time(Duration.ofSeconds(1), Duration.ofDays(7)),
                    new Derived("none: prompts are not deduplicated"),
                    "",
                    "A prompt whose `request_id` another of the same partition has taken within this time, and has not failed with, is not run: it gets the failure `DUPLICATE_REQUEST`. Send with a stable key, so that a repeated prompt comes to the same partition."),
            Key.of(
                    "max_entries",
                    new Whole(1, 10 * MANY),
                    new Fixed("100000", "166 prompts a second and partition for 10 minutes; 350 bytes each, 35 MB"),
                    "entries",
                    "Taken `request_id`s that each partition remembers; beyond it the oldest is forgotten before its time."));

    private static final List<Key> PROCESSOR = List.of(
            Key.of(
                    "max_pending",
                    new Whole(1, MANY),
                    new Derived(
                            "the larger of 256 and 4 × the sum of all models' `max_num_seqs`: enough to refill the batch between two polls"),
                    "prompts",
                    "Prompts that this instance holds without an answer; at this number it stops fetching."),
            Key.of(
                    "max_pending_per_partition",
                    new Whole(1, MANY),
                    new Derived("half of `max_pending`, so that one partition cannot take all of it"),
                    "prompts",
                    "The same for a single partition."),
            Key.of(
                    "max_pending_bytes",
                    new Bytes(1 << 16, 1L << 40),
                    new Fixed("64MiB", "256 prompts of 256 KiB; the pending store is in memory"),
                    "",
                    "Bytes of pending prompts; at this number the instance stops fetching."),
            Key.of(
                    "max_paused",
                    new Whole(1, 16 * MANY),
                    new Derived(
                            "16 × `max_pending`: they only wait, yet are in memory and are restored; their bytes are bounded by `max_pending_bytes` once more"),
                    "prompts",
                    "Prompts of paused jobs and tenants that this instance holds; they count in no other bound. At this number it stops fetching."),
            Key.of(
                    "intake_threads",
                    new Whole(1, 256),
                    new Fixed("2", "decoding takes microseconds; a second thread covers a slow registry look-up"),
                    "threads",
                    "Threads that decode and validate prompts, off the stream threads."),
            Key.of(
                    "num_stream_threads",
                    new Whole(1, 256),
                    new Fixed("1", "stream threads only move bytes: one carries thousands of prompts a second"),
                    "threads",
                    "Threads of Kafka Streams."),
            Key.of(
                    "drain_timeout",
                    new Time(Duration.ZERO, Duration.ofHours(1)),
                    new Fixed("20s", "below the 30 s after which Kubernetes kills"),
                    "",
                    "How long a shutdown waits for answers under way. What is not done by then is done by whoever takes over."),
            Key.of(
                    "orphan_grace",
                    new Time(Duration.ZERO, Duration.ofMinutes(10)),
                    new Fixed("15s", "longer than most rebalances, in which tasks close and often come back"),
                    "",
                    "How long requests of a task that was closed run on in the engine, so that this process goes on with them should it get the task back; 0s cancels them at once."),
            Key.of(
                    "engine_stall_timeout",
                    new Time(Duration.ofSeconds(1), Duration.ofHours(1)),
                    new Fixed(
                            "60s",
                            "several times what the longest step takes, one of max_num_batched_tokens prompt tokens"),
                    "",
                    "How long an engine with requests may complete no step, before the process writes down its state and ends with exit code 8, so that its supervisor starts it again and others take over its prompts."),
            Key.of(
                    "ordering",
                    new Choice(List.of("none", "key")),
                    new Fixed("none", "a long answer holds nobody back"),
                    "",
                    "`key`: within a partition the results and failures of one record key appear in the prompts' order; a prompt runs when the one before it with its key has ended. Prompts without a key are in no order."),
            Key.section(
                    "deduplication",
                    "Prompts that were sent twice. Off unless `window` is given. It makes a second changelog, `<application_id>-requests-changelog`.",
                    DEDUPLICATION));

    private static final List<Key> HTTP = List.of(
            Key.of(
                    "enabled",
                    new Bool(),
                    new Fixed("true", "needed by probes and Prometheus"),
                    "",
                    "Whether `/livez`, `/readyz` and `/metrics` are served."),
            Key.of(
                    "host",
                    new Text("[A-Za-z0-9.:_-]{1,253}", "a host name or an address"),
                    new Fixed("127.0.0.1", "nothing is open to the network unless asked for"),
                    "",
                    "Address to listen on; `0.0.0.0` for all."),
            Key.of(
                    "port",
                    new Whole(0, 65_535),
                    new Fixed("8080", "the usual one"),
                    "",
                    "Port to listen on; 0 takes any free one, which is logged."));

    private static final List<Key> METRICS = List.of(Key.of(
            "max_tenants",
            new Whole(0, 10_000),
            new Fixed("100", "each value costs about 100 time series for each model"),
            "tenants",
            "Values of the label `tenant`, first come first served; later tenants count under `other`."));

    static final Section ROOT = new Section(List.of(
            Key.of(
                    "application_id",
                    WORD,
                    new Fixed("millrace", ""),
                    "",
                    "Kafka's consumer group; also the prefix of the changelog's and the fence's topic and of transactional ids."),
            Key.of(
                    "instance",
                    WORD,
                    new Derived("host name and process id"),
                    "",
                    "This instance's name in metrics records and logs."),
            new Key(
                    "kafka",
                    new Properties(),
                    new Derived("`bootstrap.servers: " + KafkaSettings.DEFAULT_BOOTSTRAP_SERVERS + "`"),
                    "",
                    "Any property of Kafka's clients, of Kafka Streams or of the schema registry's client, by its own name; `consumer.`, `producer.` and `admin.` before a name limit it to one client."),
            Key.section("topics", "The topics.", TOPICS),
            new Key(
                    "models",
                    new NamedSections("a model's name", new Section(ModelKeys.ALL)),
                    new Derived("`smollm2-135m-instruct`, a small model that is fetched by pip"),
                    "",
                    "The models to serve, by the names that prompts use."),
            Key.of(
                    "default_model",
                    new Text(".{1,120}", "a model's name"),
                    new Derived("the first of `models`"),
                    "",
                    "The model for prompts that name none."),
            Key.section("processor", "Bounds and times of the topology.", PROCESSOR),
            Key.section("http", "Health and metrics over HTTP.", HTTP),
            Key.section("metrics", "Bounds of the metrics.", METRICS)));

    private ConfigKeys() {}

    private static Key topic(String name, String doc) {
        return topic(name, name, doc);
    }

    private static Key topic(String name, String suffix, String doc) {
        return Key.of(name, TOPIC, new Fixed("millrace." + suffix, ""), "", doc);
    }

    /** The section that has a key of this name, as a path. */
    static Optional<String> sectionOf(String name) {
        return sectionOf("", ROOT, name);
    }

    private static Optional<String> sectionOf(String path, Section section, String name) {
        if (!path.isEmpty() && section.find(name).isPresent()) {
            return Optional.of(path);
        }
        String prefix = path.isEmpty() ? "" : path + ".";
        return section.keys().stream()
                .flatMap(key -> switch (key.shape()) {
                    case Section inner -> sectionOf(prefix + key.name(), inner, name).stream();
                    case NamedSections named ->
                        sectionOf(prefix + key.name() + ".NAME", named.section(), name).stream();
                    case Key.Scalar scalar -> Optional.<String>empty().stream();
                    case Properties properties -> Optional.<String>empty().stream();
                    case Key.NamedValues values -> Optional.<String>empty().stream();
                    case Key.Json json -> Optional.<String>empty().stream();
                })
                .findFirst();
    }
}
