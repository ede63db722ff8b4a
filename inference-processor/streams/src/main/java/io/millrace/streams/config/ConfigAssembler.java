package io.millrace.streams.config;

import io.millrace.modelstore.DefaultModel;
import io.millrace.modelstore.ModelSource;
import io.millrace.modelstore.ModelSpec;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values to a configuration: derives what is absent, and checks what concerns several keys. */
final class ConfigAssembler {
    private static final int MIN_DERIVED_PENDING = 256;
    private static final int PENDING_PER_SEQUENCE = 4;
    private static final List<String> TOPIC_KEYS =
            List.of("prompts", "results", "metrics", "engine_metrics", "failures", "dead_letters", "control");

    private final Problems problems;

    ConfigAssembler(Problems problems) {
        this.problems = problems;
    }

    /** Nothing if there are errors, which are then among the problems. */
    @Nullable
    MillraceConfig assemble(Values root) {
        Map<String, ModelSettings> models = models(root);
        String defaultModel = defaultModel(root, models);
        Values topics = root.section("topics");
        checkTopicsDiffer(topics);
        KafkaSettings kafka = kafka(root);
        TopologySettings processor = processor(root.section("processor"), models);
        if (problems.hasErrors()) {
            return null;
        }
        return new MillraceConfig(
                root.text("application_id"),
                root.optionalText("instance").orElseGet(InstanceName::derived),
                kafka,
                TopicSettings.of(topics),
                models,
                defaultModel,
                processor,
                HttpSettings.of(root.section("http")),
                MetricsSettings.of(root.section("metrics")));
    }

    private Map<String, ModelSettings> models(Values root) {
        Map<String, Values> configured = root.sections("models");
        if (configured.isEmpty()) {
            configured = Map.of(DefaultModel.SMOLLM2.name(), new Values(new Key.Section(ModelKeys.ALL)));
        }
        Map<String, ModelSettings> models = new LinkedHashMap<>();
        configured.forEach((name, values) -> engine(name, values, root.placeIn("models", name))
                .ifPresent(engine -> {
                    ModelSettings model = ModelSettings.of(name, engine, values);
                    ModelChecks.check(model, values, problems);
                    models.put(name, model);
                }));
        return Collections.unmodifiableMap(models);
    }

    private Optional<EngineSettings> engine(String name, Values values, Place place) {
        if (!values.areSound("engine")) {
            return Optional.empty();
        }
        boolean hasOthers = ModelChecks.refuseKeysOfOtherEngines(values, problems);
        if (hasOthers && !values.has("engine")) {
            return Optional.empty(); // another engine was meant: the default one's wishes would mislead
        }
        return switch (values.text("engine")) {
            case RemoteSettings.ENGINE -> isName(name, place) ? remote(name, values, place) : Optional.empty();
            case EchoSettings.ENGINE ->
                isName(name, place) ? Optional.of(EchoSettings.of(values.section("echo"))) : Optional.empty();
            default -> spec(name, values, place).map(spec -> LlmSettings.of(spec, values));
        };
    }

    private Optional<EngineSettings> remote(String name, Values values, Place place) {
        Values remote = values.section("remote");
        return RemoteChecks.check(name, remote, values.has("remote") ? values.place("remote") : place, problems)
                ? Optional.of(RemoteSettings.of(name, remote))
                : Optional.empty();
    }

    private boolean isName(String name, Place place) {
        try {
            ModelSpec.checkName(name);
            return true;
        } catch (IllegalArgumentException e) {
            problems.error(place, String.valueOf(e.getMessage()));
            return false;
        }
    }

    private Optional<ModelSpec> spec(String name, Values values, Place place) {
        ModelSpec known = DefaultModel.SMOLLM2;
        Optional<ModelSource> source = values.optional("source", ModelSource.class);
        boolean isKnown =
                name.equals(known.name()) && source.map(known.source()::equals).orElse(true);
        if (!values.areSound("source")) {
            return Optional.empty();
        }
        if (source.isEmpty() && !isKnown) {
            problems.error(place, "model '" + name + "' has no source, expected=source: " + ModelSource.FORMS);
            return Optional.empty();
        }
        try {
            return Optional.of(new ModelSpec(
                    name,
                    source.orElse(known.source()),
                    values.optionalText("sha256").or(() -> isKnown ? known.sha256() : Optional.empty()),
                    values.has("size") || !isKnown ? values.optionalBytes("size") : known.sizeBytes()));
        } catch (IllegalArgumentException e) {
            problems.error(place, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private String defaultModel(Values root, Map<String, ModelSettings> models) {
        Map<String, Values> configured = root.sections("models");
        Set<String> names = configured.isEmpty() ? models.keySet() : configured.keySet();
        Optional<String> named = root.optionalText("default_model");
        if (named.isPresent() && root.areSound("models") && !names.contains(named.get())) {
            problems.error(
                    root.place("default_model"),
                    "default_model=" + named.get() + ", expected=one of " + String.join(", ", names)
                            + Suggestion.among(names, named.get()));
        }
        return named.or(() -> models.keySet().stream().findFirst()).orElse("");
    }

    private void checkTopicsDiffer(Values topics) {
        Map<String, String> keyByTopic = new HashMap<>();
        for (String key : TOPIC_KEYS) {
            if (!topics.areSound(key)) {
                continue;
            }
            String other = keyByTopic.putIfAbsent(topics.text(key), key);
            if (other != null) {
                problems.error(
                        topics.has(key) ? topics.place(key) : topics.place(other),
                        key + "=" + topics.text(key) + ", expected=another topic than that of " + other);
            }
        }
    }

    private KafkaSettings kafka(Values root) {
        Map<String, String> properties = root.properties("kafka");
        properties.forEach((name, value) -> KafkaChecks.check(name, value, root.placeIn("kafka", name), problems));
        return new KafkaSettings(properties);
    }

    private TopologySettings processor(Values values, Map<String, ModelSettings> models) {
        int sequences =
                models.values().stream().mapToInt(ModelSettings::maxNumSeqs).sum();
        int maxPending = values.optionalInteger("max_pending")
                .orElse(Math.max(MIN_DERIVED_PENDING, PENDING_PER_SEQUENCE * sequences));
        int perPartition = values.optionalInteger("max_pending_per_partition").orElse(Math.max(1, maxPending / 2));
        if (maxPending < sequences && !problems.hasErrors()) {
            problems.warning(
                    values.place("max_pending"),
                    "max_pending=" + maxPending + " is less than all models' max_num_seqs=" + sequences
                            + ": the batch is never full");
        }
        if (values.areSound("max_pending") && perPartition > maxPending) {
            problems.error(
                    values.place("max_pending_per_partition"),
                    "max_pending_per_partition=" + perPartition + ", expected=at most max_pending=" + maxPending);
        }
        Values deduplication = values.section("deduplication");
        if (deduplication.has("max_entries") && !deduplication.has("window") && deduplication.areSound("window")) {
            problems.error(
                    deduplication.place("max_entries"),
                    "deduplication.window is absent, expected=a time, such as 10m: without it max_entries does nothing");
        }
        return TopologySettings.of(values, maxPending, perPartition);
    }
}
