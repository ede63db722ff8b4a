package io.millrace.cli;

import io.millrace.modelstore.ModelSpec;
import io.millrace.modelstore.ProgressListener;
import java.util.Locale;

/** Shows how a model's download goes: a line that moves on a terminal, one line that stays elsewhere. */
final class FetchProgress implements ProgressListener, AutoCloseable {

    private static final double BYTES_PER_MEGABYTE = 1e6;

    private final Terminal terminal;
    private final ModelSpec spec;
    private final ProgressLine line;
    private boolean said;

    FetchProgress(Terminal terminal, ModelSpec spec) {
        this.terminal = terminal;
        this.spec = spec;
        this.line = new ProgressLine(terminal);
    }

    @Override
    public void onProgress(Progress progress) {
        switch (progress.stage()) {
            case READY -> line.close();
            case WAITING -> line.update("Waiting for another process that fetches " + progress.model() + " …");
            case DOWNLOADING -> {
                if (!said && terminal.errColumns().isEmpty()) {
                    terminal.err()
                            .println("Fetching " + spec.name() + " from "
                                    + spec.source().shown() + " …");
                }
                said = true;
                line.update("Fetching " + progress.model() + " " + bytes(progress));
            }
            case UNPACKING -> line.update("Unpacking " + progress.model() + " " + bytes(progress));
            case VERIFYING -> line.update("Verifying " + progress.model() + " " + bytes(progress));
        }
    }

    private static String bytes(Progress progress) {
        double done = progress.doneBytes() / BYTES_PER_MEGABYTE;
        return progress.totalBytes().isPresent()
                ? String.format(
                        Locale.ROOT,
                        "%.1f of %.1f MB",
                        done,
                        progress.totalBytes().getAsLong() / BYTES_PER_MEGABYTE)
                : String.format(Locale.ROOT, "%.1f MB", done);
    }

    @Override
    public void close() {
        line.close();
    }
}
