package io.millrace.cli;

import io.millrace.engine.InferenceEngine;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.modelstore.CachedModel;
import io.millrace.modelstore.ModelStore;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.KafkaSettings;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.ModelSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What every command has at hand: the terminal, the global options, and what they lead to. */
final class Session {

    private static final Path DEFAULT_CONFIG = Path.of("millrace.yaml");

    private final Terminal terminal;
    private final GlobalOptions options;
    private @Nullable MillraceConfig config;

    Session(Terminal terminal, GlobalOptions options) {
        this.terminal = terminal;
        this.options = options;
    }

    Terminal terminal() {
        return terminal;
    }

    GlobalOptions options() {
        return options;
    }

    /** A model with all that its engine needs on this machine. */
    sealed interface ReadyModel {
        ModelSettings settings();
    }

    /**
     * A model whose file is on this machine.
     *
     * @param digest {@code sha256:<hex>} where it is known
     */
    record LocalModel(ModelSettings settings, LlmSettings engine, Path file, Optional<String> digest)
            implements ReadyModel {}

    /** A model that needs no file here: it is on a server, or is none. */
    record HostedModel(ModelSettings settings) implements ReadyModel {}

    /** The configuration file that counts, if there is one. */
    Optional<Path> configFile() {
        if (options.config != null) {
            return Optional.of(options.config);
        }
        return Files.exists(DEFAULT_CONFIG) ? Optional.of(DEFAULT_CONFIG) : Optional.empty();
    }

    /** The configuration with the command line's say over it. */
    MillraceConfig config() {
        if (config == null) {
            try {
                Optional<Path> file = configFile();
                config = withOptions(file.isPresent() ? MillraceConfig.load(file.get()) : MillraceConfig.defaults());
            } catch (ConfigException e) {
                throw new CliException(ExitCode.CONFIG, String.valueOf(e.getMessage()), e);
            }
        }
        return config;
    }

    private MillraceConfig withOptions(MillraceConfig read) {
        if (options.bootstrapServer == null) {
            return read;
        }
        Map<String, String> kafka = new LinkedHashMap<>(read.kafka().properties());
        kafka.put(KafkaSettings.BOOTSTRAP_SERVERS, options.bootstrapServer);
        return new MillraceConfig(
                read.applicationId(),
                read.instance(),
                new KafkaSettings(kafka),
                read.topics(),
                read.models(),
                read.defaultModel(),
                read.processor(),
                read.http(),
                read.metrics());
    }

    ModelStore store() {
        return ModelStore.open(options.modelHome == null ? ModelStore.defaultHome() : options.modelHome);
    }

    /** As {@link #ready}, for what works on a model's file: an error for a model that has none here. */
    LocalModel model(@Nullable String nameOrFile) throws IOException {
        return switch (ready(nameOrFile)) {
            case LocalModel local -> local;
            case HostedModel(ModelSettings settings) ->
                throw new CliException(
                        ExitCode.MODEL,
                        "model=" + settings.name()
                                + ", expected=one of engine llm: this command works on a model's file, and engine "
                                + settings.engine().kind() + " has none here");
        };
    }

    /** The model of that name, fetched if need be, or the file of that path; null means the configuration's default. */
    ReadyModel ready(@Nullable String nameOrFile) throws IOException {
        String name = nameOrFile == null ? config().defaultModel() : nameOrFile;
        Optional<ModelSettings> named = config().model(name);
        if (named.isPresent()) {
            return ready(named.get());
        }
        Path file = Path.of(name);
        if (Files.isRegularFile(file)) {
            ModelSettings settings = Engines.settingsOf(file);
            return new LocalModel(settings, llm(settings).orElseThrow(), file, Optional.empty());
        }
        throw new CliException(
                ExitCode.MODEL,
                "model=" + name + ", expected=a GGUF file that exists, or one of "
                        + String.join(", ", config().models().keySet()));
    }

    /** All models of the configuration, fetched if need be. */
    List<ReadyModel> readyAll() throws IOException {
        List<ReadyModel> models = new ArrayList<>();
        for (ModelSettings settings : config().models().values()) {
            models.add(ready(settings));
        }
        return models;
    }

    /** Fetches a model that has a file, showing how far it is. */
    ReadyModel ready(ModelSettings settings) throws IOException {
        Optional<LlmSettings> llm = llm(settings);
        if (llm.isEmpty()) {
            return new HostedModel(settings);
        }
        try (var progress = new FetchProgress(terminal, llm.get().spec())) {
            CachedModel cached = store().fetchModel(llm.get().spec(), ModelStore.Check.WHEN_CHANGED, progress);
            return new LocalModel(settings, llm.get(), cached.path(), Optional.of("sha256:" + cached.sha256()));
        }
    }

    /** What only a model that is computed here has. */
    static Optional<LlmSettings> llm(ModelSettings settings) {
        return settings.engine() instanceof LlmSettings llm ? Optional.of(llm) : Optional.empty();
    }

    InferenceEngine openEngine(ReadyModel model) throws IOException {
        return Engines.open(model);
    }

    GgufFile openGguf(LocalModel model) throws IOException {
        return GgufFile.open(model.file());
    }
}
