package io.millrace.cli;

import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.http.HealthServer;
import io.millrace.streams.metrics.PrometheusMetrics;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code millrace process}: an instance of the processor. */
@Command(
        name = "process",
        description = {
            "Answers prompts from Kafka until it is stopped.",
            "",
            "SIGTERM or Ctrl-C stops it in order: it takes no more prompts, finishes those under way for at most"
                    + " processor.drain_timeout, and leaves the group, so that another instance goes on at once. Another Ctrl-C"
                    + " ends it at once. A kill at any time loses nothing and doubles nothing for read_committed consumers."
        },
        footer = {
            "",
            "Examples:",
            "  millrace process",
            "  millrace process --config /etc/millrace/millrace.yaml --log-format json"
        })
final class ProcessCommand implements Callable<Integer> {

    /** What closing takes beside draining: Kafka's clients, the engines. */
    private static final long CLOSE_SECONDS = 30;

    private final Session session;

    ProcessCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Logging.configure(Logging.Mode.SERVICE, session.options());
        MillraceConfig config = session.config();
        KafkaAccess.require(KafkaAccess.properties(config));
        var running = new AtomicReference<@Nullable Processor>();
        try (var lastResort = new LastResort();
                var metrics = new PrometheusMetrics(
                        config.models().keySet(), config.metrics().maxTenants());
                HealthServer _ = health(config, metrics, running);
                Processor processor = Processor.start(config, session.readyAll(), ProcessorHooks.of(metrics))) {
            running.set(processor);
            metrics.watch(processor.app()::status);
            metrics.watch(processor.app().streams());
            processor.bindTo(metrics);
            return untilStopped(processor, config.processor().drainTimeout(), lastResort).value;
        }
    }

    /** Before the models, whose loading takes a while: probes hear that the process lives. */
    private static @Nullable HealthServer health(
            MillraceConfig config, PrometheusMetrics metrics, AtomicReference<@Nullable Processor> running) {
        return config.http().enabled()
                ? HealthServer.start(
                        config.http(),
                        () -> Optional.ofNullable(running.get())
                                .map(processor -> processor.app().status()),
                        metrics::scrape)
                : null;
    }

    private static ExitCode untilStopped(Processor processor, Duration drain, LastResort lastResort)
            throws InterruptedException {
        Runnable stop = () -> {
            SecondInterrupt.halts();
            processor.close(drain);
        };
        try (Shutdown _ = Shutdown.onSignal(stop, drain.toSeconds() + CLOSE_SECONDS)) {
            ProcessorStatus.State end = processor.app().stopped().get();
            Optional<String> stall = processor.app().stall();
            if (stall.isPresent()) {
                lastResort.arm(ExitCode.ENGINE, CLOSE_SECONDS);
                throw new CliException(
                        ExitCode.ENGINE, stall.get() + "; the log above names a file with the state of the process");
            }
            if (end == ProcessorStatus.State.FAILED) {
                throw new CliException(ExitCode.KAFKA, "the processor stopped by an error; the log above says which");
            }
            return ExitCode.OK;
        } catch (ExecutionException e) {
            throw new IllegalStateException("stopping never fails", e);
        }
    }
}
