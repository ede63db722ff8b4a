package io.millrace.cli;

import io.millrace.engine.InferenceEngine;
import io.millrace.llm.runtime.LlmEngine;
import io.millrace.llm.runtime.LlmEngineOptions;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.ModelSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Engines from settings. */
final class Engines {

    private static final Pattern NO_NAME = Pattern.compile("[^A-Za-z0-9._-]+");

    private Engines() {}

    static InferenceEngine open(Session.LocalModel model) throws IOException {
        return open(model, model.settings().threads());
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
        LlmEngineOptions.Builder options = LlmEngineOptions.builder()
                .maxNumSeqs(settings.maxNumSeqs())
                .blockSize(settings.blockSize())
                .enableChunkedPrefill(settings.enableChunkedPrefill())
                .threads(threads)
                .backend(settings.backend())
                .maxWaiting(settings.maxWaiting())
                .defaultMaxTokens(settings.defaultMaxTokens());
        settings.maxModelLen().ifPresent(options::maxModelLen);
        settings.maxNumBatchedTokens().ifPresent(options::maxNumBatchedTokens);
        settings.kvCacheMemoryBytes().ifPresent(options::kvCacheMemoryBytes);
        settings.version().ifPresent(options::modelVersion);
        model.digest().ifPresent(options::modelDigest);
        return options.build();
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
