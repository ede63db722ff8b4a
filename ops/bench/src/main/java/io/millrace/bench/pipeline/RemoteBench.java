package io.millrace.bench.pipeline;

import io.millrace.bench.Sample;
import io.millrace.bench.pipeline.RemoteReport.Beside;
import io.millrace.bench.pipeline.RemoteReport.Clients;
import io.millrace.bench.pipeline.RemoteReport.Live;
import io.millrace.bench.pipeline.RemoteReport.Server;
import io.millrace.bench.pipeline.RemoteReport.Side;
import io.millrace.bench.pipeline.RemoteReport.Throughput;
import io.millrace.devstack.LlamaServerOptions;
import io.millrace.devstack.ModelServer;
import io.millrace.devstack.ServerMetrics;
import io.millrace.engine.InferenceEngine;
import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.Secret;
import io.millrace.remote.SlackCurve;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.MillraceConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;

/**
 * What it costs to ask a model server through Kafka, against asking it directly, and what users of the same server feel of it:
 *
 * <pre>
 *  prompts ─► Kafka ─► processor ─► remote engine ─► server ─► Kafka ─► read_committed consumer     millrace
 *  prompts ─► so many plain HTTP clients ─────────► server                                        direct
 * </pre>
 *
 * <p>The server is a real one, in a process of its own, and so is the broker; the rest is in this JVM. Each prompt must have
 * its one answer of the full length, or nothing is reported.
 */
public final class RemoteBench {

    /** In every request of either way: what the server kept of an earlier run of the same prompts must not help. */
    static final Map<String, Object> EXTRA_BODY = Map.of("cache_prompt", false);

    private static final String AUTHORIZATION = "Authorization";
    private static final String BEARER = "Bearer ";
    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final int SLOT_TOKENS = 256;
    private static final int WARM_UP_PROMPTS = 48;
    private static final Duration SIGNAL_INTERVAL = Duration.ofMillis(250);
    private static final long SEED = 42;

    /** Whom it measures. */
    public sealed interface Subject {

        /** A server of llama.cpp's that is started for it: its file, and a GGUF file. */
        record Started(Path server, Path model) implements Subject {}

        /**
         * One that runs already: its OpenAI address, such as {@code http://127.0.0.1:8000/v1}, its name for the model, and the
         * key that it asks for.
         */
        record Running(URI url, String model, Optional<Secret> apiKey) implements Subject {

            private Map<String, String> headers() {
                return apiKey.map(key -> Map.of(AUTHORIZATION, BEARER + key.value()))
                        .orElse(Map.of());
            }

            private ServerMetrics metrics() {
                return ServerMetrics.at(url.resolve("/metrics"), headers());
            }
        }
    }

    /** The server at work. */
    private record Target(
            DirectRoute.Address address, Optional<Secret> apiKey, ServerMetrics metrics, String description) {}

    private final RemotePlan plan;
    private final Subject subject;
    private final Path folder;
    private final Consumer<String> progress;
    private final BenchKafka kafka;
    private final ProcessorSettings settings;

    private RemoteBench(RemotePlan plan, Subject subject, Path folder, Consumer<String> progress, BenchKafka kafka) {
        this.plan = plan;
        this.subject = subject;
        this.folder = folder;
        this.progress = progress;
        this.kafka = kafka;
        this.settings = settings(folder, kafka);
    }

    private static ProcessorSettings settings(Path folder, BenchKafka kafka) {
        try {
            return ProcessorSettings.of(
                    MillraceConfig.parse("bench", """
                    application_id: millrace-bench
                    kafka:
                      bootstrap.servers: "%s"
                      state.dir: "%s"
                    """.formatted(kafka.bootstrapServers(), folder.resolve("streams"))));
        } catch (ConfigException e) {
            throw new IllegalStateException("our own configuration", e);
        }
    }

    /**
     * Runs it.
     *
     * @param folder for broker, logs and state; empty
     * @param progress hears what is being done
     * @throws UnansweredException a prompt was not answered exactly once, in full
     * @throws IllegalStateException the server does not start
     * @throws IOException the server does not answer, or shows no metrics that are known
     */
    public static RemoteReport run(RemotePlan plan, Subject subject, Path folder, Consumer<String> progress)
            throws IOException, InterruptedException {
        if (subject instanceof Subject.Running running) {
            try (ServerMetrics metrics = running.metrics()) {
                var _ = metrics.kind(); // now, not after Kafka's start and the warm-up, if it does not answer
            }
        }
        progress.accept("starting Kafka");
        try (BenchKafka kafka = BenchKafka.start(folder.resolve("broker"))) {
            return new RemoteBench(plan, subject, folder, progress, kafka).run();
        }
    }

    private RemoteReport run() throws IOException, InterruptedException {
        try (Admin admin = kafka.admin()) {
            int partitions = MillraceConfig.defaults().topics().partitions();
            Topics.create(admin, settings, new Topics.Shape(partitions, (short) 1));
        }
        return switch (subject) {
            case Subject.Started(Path server, Path model) -> started(server, model);
            case Subject.Running running -> running(running);
        };
    }

    private RemoteReport started(Path server, Path model) throws IOException, InterruptedException {
        warmUp();
        List<Throughput> throughput = new ArrayList<>();
        for (int threads : plan.serverThreads()) {
            try (ModelServer process = start(server, model, threads);
                    ServerMetrics metrics = ServerMetrics.at(process.metricsUrl())) {
                throughput.add(throughput(threads, target(process, metrics)));
            }
        }
        int threads = plan.serverThreads().getFirst();
        try (ModelServer process = start(server, model, threads);
                ServerMetrics metrics = ServerMetrics.at(process.metricsUrl())) {
            Target target = target(process, metrics);
            return report(target, String.valueOf(model.getFileName()), throughput, live(threads, target));
        }
    }

    private static Target target(ModelServer process, ServerMetrics metrics) {
        return new Target(
                new DirectRoute.Address(process.url(), LlamaServerOptions.ALIAS, Map.of()),
                Optional.empty(),
                metrics,
                "llama-server of llama-cpp-python " + LlamaServerOptions.VERSION);
    }

    private RemoteReport running(Subject.Running server) throws IOException, InterruptedException {
        try (ServerMetrics metrics = server.metrics()) {
            String kind = metrics.kind().name().toLowerCase(Locale.ROOT);
            var target = new Target(
                    new DirectRoute.Address(server.url, server.model, server.headers()),
                    server.apiKey,
                    metrics,
                    kind + " at " + server.url);
            warmUp();
            Throughput throughput = throughput(0, target);
            return report(target, server.model, List.of(throughput), live(0, target));
        }
    }

    private RemoteReport report(Target target, String model, List<Throughput> throughput, Live live) {
        return new RemoteReport(
                plan,
                target.description(),
                model,
                Runtime.getRuntime().availableProcessors(),
                Runtime.version().toString(),
                throughput,
                live);
    }

    /** The code of broker and processor is compiled by what a minute of work brings, and not at the server's cost. */
    private void warmUp() throws InterruptedException {
        Plan.Rate rate = plan.warmUp();
        progress.accept(rate.count() + " records to warm up");
        List<Prompt> prompts = Prompt.random(Plan.Burst.of(rate.count(), 4, 1), SEED);
        var endings = new Endings(prompts.size());
        try (var engine = new ImmediateEngine()) {
            var meter = new Meter(engine, kafka);
            try (var route = new PipelineRoute(kafka, settings, engine, meter, endings)) {
                var schedule = Schedule.poisson(rate.count(), rate.perSecond(), SEED);
                var _ = Run.of(prompts, schedule, route, endings, meter, PATIENCE);
            }
        }
    }

    private ModelServer start(Path server, Path model, int threads) throws InterruptedException {
        progress.accept("starting the server with " + threads + " threads");
        return ModelServer.start(LlamaServerOptions.of(server, model, folder.resolve("server.log"))
                .withSlots(plan.slots(), SLOT_TOKENS)
                .withThreads(threads));
    }

    private InferenceEngine engine(Target target, Optional<RemoteOptions.Slack> slack) {
        RemoteOptions.Builder options = RemoteOptions.builder(target.address.model())
                .endpoints(List.of(RemoteOptions.Server.of("server", target.address.url())))
                .extraBody(EXTRA_BODY);
        target.apiKey.ifPresent(key -> options.connection(
                RemoteOptions.Connection.DEFAULT.withSecretHeaders(Map.of(AUTHORIZATION, key.prefixed(BEARER)))));
        slack.ifPresent(options::slack);
        return RemoteEngine.open(settings.defaultModel(), options.build());
    }

    /** A run with what the server said meanwhile. */
    private record Observed(Run run, ServerSampler.Use server) {

        double tokensPerSecond() {
            return server.generatedTokens() / run.seconds();
        }

        double promptsPerSecond() {
            return run.answers().size() / run.seconds();
        }
    }

    private Throughput throughput(int threads, Target server) throws InterruptedException {
        Plan.Burst burst = plan.throughput();
        List<Prompt> prompts = Prompt.random(burst, SEED);
        try (InferenceEngine engine = engine(server, Optional.empty())) {
            List<Clients> search = new ArrayList<>();
            for (int clients : plan.clients()) {
                List<Prompt> some = prompts.subList(0, Math.min(prompts.size(), Math.max(8, 2 * clients)));
                search.add(new Clients(
                        clients, direct(server, engine, clients, false, some).tokensPerSecond()));
            }
            int best = search.stream()
                    .max(Comparator.comparingDouble(Clients::tokensPerSecond))
                    .orElseThrow()
                    .clients();
            // finds the limit, and warms the JVM up
            var _ = millrace(server, engine, prompts.subList(0, Math.min(prompts.size(), WARM_UP_PROMPTS)));
            List<Observed> direct = new ArrayList<>();
            List<Observed> streamed = new ArrayList<>();
            List<Observed> millrace = new ArrayList<>();
            for (int round = 0; round < plan.rounds(); round++) {
                // the one that begins changes: what drifts favours nobody
                if (round % 2 == 0) {
                    direct.add(direct(server, engine, best, false, prompts));
                    streamed.add(direct(server, engine, best, true, prompts));
                }
                millrace.add(millrace(server, engine, prompts));
                if (round % 2 == 1) {
                    streamed.add(direct(server, engine, best, true, prompts));
                    direct.add(direct(server, engine, best, false, prompts));
                }
            }
            long same = IntStream.range(0, direct.size())
                    .mapToLong(i ->
                            sameAnswers(direct.get(i).run(), millrace.get(i).run()))
                    .sum();
            return new Throughput(
                    threads,
                    search,
                    best,
                    side(direct),
                    side(streamed),
                    ratio(streamed, direct),
                    side(millrace),
                    ratio(millrace, direct),
                    same,
                    (long) prompts.size() * direct.size());
        }
    }

    private static Sample ratio(List<Observed> ours, List<Observed> theirs) {
        return new Sample(IntStream.range(0, theirs.size())
                .mapToDouble(i -> ours.get(i).promptsPerSecond() / theirs.get(i).promptsPerSecond())
                .toArray());
    }

    private static Side side(List<Observed> runs) {
        return new Side(
                new Sample(runs.stream().mapToDouble(Observed::tokensPerSecond).toArray()),
                Server.of(runs.stream().map(Observed::server).toList()),
                runs.stream()
                        .mapToDouble(each -> each.run().use().jvmCpuSeconds())
                        .average()
                        .orElse(0),
                runs.stream()
                        .mapToDouble(each -> each.run().use().brokerCpuSeconds())
                        .average()
                        .orElse(0));
    }

    private static long sameAnswers(Run a, Run b) {
        return IntStream.range(0, a.answers().size())
                .filter(i -> a.answers().get(i).text().equals(b.answers().get(i).text()))
                .count();
    }

    private Observed direct(Target server, InferenceEngine idle, int clients, boolean streamed, List<Prompt> prompts)
            throws InterruptedException {
        progress.accept(prompts.size() + " prompts by " + clients + (streamed ? " streaming clients" : " clients"));
        var endings = new Endings(prompts.size());
        try (var route = DirectRoute.closed(server.address, streamed, clients, endings)) {
            return observed(server, prompts, route, endings, new Meter(idle, kafka));
        }
    }

    private Observed millrace(Target server, InferenceEngine engine, List<Prompt> prompts) throws InterruptedException {
        progress.accept(prompts.size() + " prompts through Millrace");
        var endings = new Endings(prompts.size());
        var meter = new Meter(engine, kafka);
        try (var route = new PipelineRoute(kafka, settings, engine, meter, endings)) {
            return observed(server, prompts, route, endings, meter);
        }
    }

    private Observed observed(Target server, List<Prompt> prompts, Route route, Endings endings, Meter meter)
            throws InterruptedException {
        try (ServerSampler sampler = ServerSampler.start(server.metrics())) {
            Run run = Run.of(prompts, Schedule.burst(prompts.size()), route, endings, meter, PATIENCE);
            return new Observed(run, sampler.stop(plan.slots()));
        }
    }

    /** Users' latencies beside a bulk load, in milliseconds, and that load's own rate. */
    private record Shared(double[] liveMs, double bulkPerSecond, ServerSampler.Use server) {}

    private Live live(int threads, Target server) throws IOException, InterruptedException {
        String signal = server.metrics().kind().processing();
        SlackCurve curve = new SlackCurve(List.of(
                new SlackCurve.Point(plan.slots() / 16.0, 1), new SlackCurve.Point(plan.slots() * 3 / 8.0, 0.1)));
        var slack = new RemoteOptions.Slack(
                Optional.empty(), new RemoteOptions.Metric(signal), SIGNAL_INTERVAL, Duration.ofSeconds(10), curve);
        List<Shared> alone = new ArrayList<>();
        List<Shared> bulk = new ArrayList<>();
        List<Shared> gated = new ArrayList<>();
        try (InferenceEngine all = engine(server, Optional.empty());
                InferenceEngine behind = engine(server, Optional.of(slack))) {
            // finds the limits
            List<Prompt> some = bulkPrompts(0)
                    .subList(0, Math.min(WARM_UP_PROMPTS, plan.bulk().prompts()));
            var _ = millrace(server, all, some);
            var _ = millrace(server, behind, some);
            for (int round = 0; round < plan.rounds(); round++) {
                alone.add(alone(server, round));
                bulk.add(shared(server, all, round));
                gated.add(shared(server, behind, round));
            }
        }
        return new Live(
                threads, plan.live().perSecond(), beside(alone), beside(bulk), beside(gated), signal, describe(curve));
    }

    private static String describe(SlackCurve curve) {
        return String.join(
                ", ",
                curve.points().stream()
                        .map(point -> String.format(Locale.ROOT, "%.0f:%.1f", point.value(), point.fraction()))
                        .toList());
    }

    private static Beside beside(List<Shared> rounds) {
        double[] all = rounds.stream()
                .flatMapToDouble(round -> Arrays.stream(round.liveMs()))
                .toArray();
        return new Beside(
                all.length,
                PipelineReport.Latency.of(all),
                new Sample(rounds.stream().mapToDouble(Shared::bulkPerSecond).toArray()),
                Server.of(rounds.stream().map(Shared::server).toList()));
    }

    private Shared alone(Target server, int round) throws InterruptedException {
        progress.accept("users alone");
        try (ServerSampler sampler = ServerSampler.start(server.metrics());
                LiveLoad users = LiveLoad.start(server.address, plan.live(), SEED + round)) {
            double[] ms = users.awaitSent(plan.live().alone(), PATIENCE);
            return new Shared(ms, 0, sampler.stop(plan.slots()));
        }
    }

    private Shared shared(Target server, InferenceEngine engine, int round) throws InterruptedException {
        progress.accept("users beside a bulk load");
        List<Prompt> prompts = bulkPrompts(round);
        var endings = new Endings(prompts.size());
        var meter = new Meter(engine, kafka);
        try (var route = new PipelineRoute(kafka, settings, engine, meter, endings);
                LiveLoad users = LiveLoad.start(server.address, plan.live(), SEED + round)) {
            Observed bulk = observed(server, prompts, route, endings, meter);
            return new Shared(users.stop(PATIENCE), bulk.promptsPerSecond(), bulk.server());
        }
    }

    private List<Prompt> bulkPrompts(int round) {
        return Prompt.random(plan.bulk(), SEED + round);
    }
}
