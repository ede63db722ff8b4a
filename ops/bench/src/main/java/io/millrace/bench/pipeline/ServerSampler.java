package io.millrace.bench.pipeline;

import io.millrace.devstack.ServerMetrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Asks a server again and again how much it works on and how much waits in it.
 *
 * <p>Threads: one of its own samples; the measuring thread starts and stops it.
 */
final class ServerSampler implements AutoCloseable {

    private static final long INTERVAL_MS = 200;

    private final ServerMetrics server;
    private final ServerMetrics.Load before;
    private final List<ServerMetrics.Load> samples = new ArrayList<>(); // of the thread until it has ended
    private final Thread thread;
    private volatile boolean open = true;

    private ServerSampler(ServerMetrics server, ServerMetrics.Load before) {
        this.server = server;
        this.before = before;
        this.thread = Thread.ofPlatform().name("bench-server-sampler").daemon().start(this::sample);
    }

    static ServerSampler start(ServerMetrics server) throws InterruptedException {
        try {
            return new ServerSampler(server, server.load());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /**
     * What came out.
     *
     * @param samples taken
     * @param meanProcessing requests that had a slot
     * @param fullFraction of the samples, in which all slots were taken
     * @param meanDeferredWhileFull requests that waited in the server, in those
     * @param mostDeferred in any
     * @param generatedTokens drawn by the server meanwhile
     */
    record Use(
            int samples,
            double meanProcessing,
            double fullFraction,
            double meanDeferredWhileFull,
            int mostDeferred,
            long generatedTokens) {

        static Use of(List<ServerMetrics.Load> samples, int slots, long generatedTokens) {
            List<ServerMetrics.Load> full =
                    samples.stream().filter(load -> load.processing() >= slots).toList();
            return new Use(
                    samples.size(),
                    samples.stream()
                            .mapToInt(ServerMetrics.Load::processing)
                            .average()
                            .orElse(0),
                    samples.isEmpty() ? 0 : (double) full.size() / samples.size(),
                    full.stream()
                            .mapToInt(ServerMetrics.Load::deferred)
                            .average()
                            .orElse(0),
                    samples.stream()
                            .mapToInt(ServerMetrics.Load::deferred)
                            .max()
                            .orElse(0),
                    generatedTokens);
        }
    }

    private void sample() {
        try {
            while (open) {
                samples.add(server.load());
                TimeUnit.MILLISECONDS.sleep(INTERVAL_MS);
            }
        } catch (IOException e) {
            // the server is gone: what runs against it says so
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Use stop(int slots) throws InterruptedException {
        close();
        thread.join();
        try {
            return Use.of(samples, slots, server.load().generatedTokens() - before.generatedTokens());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        open = false;
    }
}
