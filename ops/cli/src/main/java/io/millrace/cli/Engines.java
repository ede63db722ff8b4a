package io.millrace.cli;

import io.millrace.echo.EchoEngine;
import io.millrace.echo.EchoOptions;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.runtime.LlmEngine;
import io.millrace.llm.runtime.LlmEngineOptions;
import io.millrace.remote.RemoteEngine;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.EchoSettings;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Engines from settings. */
final class Engines {

    private static final Pattern NO_NAME = Pattern.compile("[^A-Za-z0-9._-]+");

    private Engines() {}

    /** Opens the engine of a model, and says in the log which. */
    static InferenceEngine open(Session.ReadyModel model) throws IOException {
        return switch (model) {
            case Session.LocalModel local -> open(local, local.engine().threads());
            case Session.HostedModel(ModelSettings settings) -> hosted(settings);
        };
    }

    private static InferenceEngine hosted(ModelSettings settings) {
        try {
            return switch (settings.engine()) {
                case RemoteSettings remote ->
                    RemoteEngine.open(settings.name(), RemoteEngines.options(settings, remote));
                case EchoSettings echo -> EchoEngine.open(options(settings, echo));
                case LlmSettings _ -> throw new IllegalStateException("engine=llm, expected=one without a file");
            };
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.CONFIG, "model " + settings.name() + ": " + e.getMessage(), e);
        }
    }

    static EchoOptions options(ModelSettings settings, EchoSettings echo) {
        return new EchoOptions(
                settings.name(),
                settings.version(),
                settings.maxModelLen().orElse(EchoSettings.DEFAULT_MAX_MODEL_LEN),
                settings.maxNumSeqs(),
                settings.maxWaiting(),
                settings.defaultMaxTokens(),
                echo.delay(),
                echo.tokensPerSecond());
    }

    /**
     * What a prompt of the topic that leaves a parameter out gets. A server has a default of its own for {@code max_tokens}, often
     * all of its context, which the budget of tokens in flight could not count on.
     */
    static SamplingParameters defaults(ModelSettings settings) {
        return settings.engine() instanceof RemoteSettings
                ? settings.defaultSampling().toBuilder()
                        .maxTokens(settings.defaultMaxTokens())
                        .build()
                : settings.defaultSampling();
    }

    /** With so many threads, whatever the settings say; 0: one for each core. */
    static InferenceEngine open(Session.LocalModel model, int threads) throws IOException {
        ModelSettings settings = model.settings();
        try {
            return LlmEngine.open(settings.name(), model.file(), options(settings, model, threads));
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.CONFIG, "model " + settings.name() + ": " + e.getMessage(), e);
        }
    }

    private static LlmEngineOptions options(ModelSettings settings, Session.LocalModel model, int threads) {
        LlmSettings llm = model.engine();
        LlmEngineOptions.Builder options = LlmEngineOptions.builder()
                .maxNumSeqs(settings.maxNumSeqs())
                .blockSize(llm.blockSize())
                .enableChunkedPrefill(llm.enableChunkedPrefill())
                .threads(threads)
                .backend(llm.backend())
                .maxWaiting(settings.maxWaiting())
                .defaultMaxTokens(settings.defaultMaxTokens());
        settings.maxModelLen().ifPresent(options::maxModelLen);
        llm.maxNumBatchedTokens().ifPresent(options::maxNumBatchedTokens);
        llm.kvCacheMemoryBytes().ifPresent(options::kvCacheMemoryBytes);
        settings.version().ifPresent(options::modelVersion);
        model.digest().ifPresent(options::modelDigest);
        return options.build();
    }

    /** Where a model's servers are, for people. */
    static String shown(RemoteSettings remote) {
        return remote.endpoints().values().stream()
                .map(endpoint -> endpoint.url().getScheme() + "://"
                        + endpoint.url().getRawAuthority() + endpoint.url().getRawPath())
                .collect(Collectors.joining(", "));
    }

    /** Settings of a file that no configuration names: all defaults, and the file's name as the model's. */
    static ModelSettings settingsOf(Path file) {
        String fileName = String.valueOf(file.getFileName()).replaceFirst("\\.gguf$", "");
        String name = "file-" + NO_NAME.matcher(fileName).replaceAll("-");
        try {
            String yaml = "models: {%s: {source: 'file:model.gguf'}}\ndefault_model: %s\n".formatted(name, name);
            return MillraceConfig.parse("--model", yaml).model(name).orElseThrow();
        } catch (ConfigException e) {
            throw new IllegalStateException("settings of a file by default", e);
        }
    }
}
