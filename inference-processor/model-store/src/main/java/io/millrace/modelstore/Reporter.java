package io.millrace.modelstore;

import io.millrace.modelstore.ProgressListener.Progress;
import io.millrace.modelstore.ProgressListener.Stage;
import java.time.Duration;
import java.util.OptionalLong;

/** Passes progress on at a rate that people can read. One thread uses it. */
final class Reporter {
    private static final long INTERVAL_NANOS = Duration.ofMillis(100).toNanos();

    private final String model;
    private final ProgressListener listener;
    private Stage stage = Stage.WAITING;
    private OptionalLong totalBytes = OptionalLong.empty();
    private long reportedNanos;

    Reporter(String model, ProgressListener listener) {
        this.model = model;
        this.listener = listener;
    }

    void begin(Stage next, long doneBytes, OptionalLong total) {
        stage = next;
        totalBytes = total;
        report(doneBytes);
    }

    void advance(long doneBytes) {
        if (System.nanoTime() - reportedNanos >= INTERVAL_NANOS) {
            report(doneBytes);
        }
    }

    private void report(long doneBytes) {
        reportedNanos = System.nanoTime();
        listener.onProgress(new Progress(model, stage, doneBytes, totalBytes));
    }
}
