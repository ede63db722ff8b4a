package io.millrace.llm.runtime;

import io.millrace.engine.ModelInfo;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Backends;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.model.LoadedModel;
import io.millrace.llm.model.ModelConfig;
import io.millrace.llm.model.ModelRunner;
import io.millrace.llm.model.RunnerLimits;
import io.millrace.llm.scheduler.SchedulerLimits;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a GGUF file and options to an engine that can start. */
final class EngineLoader {

    private static final Logger log = LoggerFactory.getLogger(EngineLoader.class);

    private static final int DIGEST_CHUNK_BYTES = 1 << 20;

    private EngineLoader() {}

    static LlmEngine load(String name, Path gguf, LlmEngineOptions options) throws IOException {
        try (GgufFile file = GgufFile.open(gguf)) {
            ModelConfig config = ModelConfig.read(file);
            EngineBudgets budgets = EngineBudgets.derive(
                    new EngineBudgets.ModelShape(
                            config.contextLength(),
                            config.kvBytesPerToken(),
                            config.kvGroups().size()),
                    options,
                    Runtime.getRuntime().maxMemory());
            log.info("budgets of {}:{}", name, budgets.describe());
            GgufPromptCodec codec = codec(file);
            ModelInfo model = new ModelInfo(
                    name, options.modelVersion(), Optional.of(digest(gguf, options)), budgets.maxModelLen());
            return new LlmEngine(model, codec, runner(file, budgets, options), budgets, EngineClock.SYSTEM);
        }
    }

    private static GgufPromptCodec codec(GgufFile file) throws IOException {
        return new GgufPromptCodec(Tokenizer.of(file.metadata()), ChatTemplate.find(file.metadata()));
    }

    private static OwningRunner runner(GgufFile file, EngineBudgets budgets, LlmEngineOptions options)
            throws IOException {
        Backend backend = Backends.open(options.backend(), options.threads());
        try {
            SchedulerLimits limits = budgets.schedulerLimits();
            RunnerLimits runnerLimits = new RunnerLimits(
                    limits.maxNumBatchedTokens(), limits.maxNumSeqs(), limits.numBlocks(), limits.blockSize());
            return new OwningRunner(new ModelRunner(LoadedModel.load(file, backend), runnerLimits), backend);
        } catch (IOException | RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    private static String digest(Path gguf, LlmEngineOptions options) throws IOException {
        if (options.modelDigest().isPresent()) {
            return options.modelDigest().get();
        }
        try (InputStream in = Files.newInputStream(gguf)) {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            byte[] chunk = new byte[DIGEST_CHUNK_BYTES];
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                sha256.update(chunk, 0, count);
            }
            return "sha256:" + HexFormat.of().formatHex(sha256.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
