package io.millrace.llm.model;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;

/** A model whose weights are on a backend. It lives as long as the backend. */
public final class LoadedModel {

    private final ModelConfig config;
    private final Weights weights;
    private final Backend backend;

    private LoadedModel(ModelConfig config, Weights weights, Backend backend) {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
    }

    /**
     * Reads a file's hyperparameters and hands its weights to the backend. The file isn't needed afterwards.
     *
     * @throws GgufException where the file is corrupt, misses a tensor, or holds a model this engine can't run
     * @throws IOException where the file can't be read
     */
    public static LoadedModel load(Path gguf, Backend backend) throws IOException {
        try (GgufFile file = GgufFile.open(gguf)) {
            return load(file, backend);
        }
    }

    /** As {@link #load(Path, Backend)}, of an open file, which may be closed afterwards. */
    public static LoadedModel load(GgufFile file, Backend backend) throws GgufException {
        ModelConfig config = ModelConfig.read(file);
        return new LoadedModel(config, new WeightLoader(file, config, backend).load(), backend);
    }

    public ModelConfig config() {
        return config;
    }

    public Backend backend() {
        return backend;
    }

    Weights weights() {
        return weights;
    }
}
