package io.millrace.bench.pipeline;

import io.millrace.bench.Sample;
import io.millrace.bench.pipeline.PipelineReport.Added;
import io.millrace.bench.pipeline.PipelineReport.Blocking;
import io.millrace.bench.pipeline.PipelineReport.Latency;
import io.millrace.bench.pipeline.PipelineReport.Side;
import io.millrace.bench.pipeline.PipelineReport.Throughput;
import io.millrace.engine.InferenceEngine;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.MillraceConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;

/**
 * What the pipeline costs, as ratios of one run in which all that is compared takes turns:
 *
 * <pre>
 *  prompts ─► Kafka ─► processor ─► engine ─► Kafka ─► read_committed consumer     pipeline
 *  prompts ──────────────────────► engine ─► callback                              engine
 *  prompts ─► Kafka ─► a processor that waits for each answer ─► Kafka ─► consumer   blocking
 * </pre>
 *
 * <p>All of it is in this JVM but the broker, which has one of its own. Each prompt must have its one answer, or nothing is
 * reported. The first round of all is thrown away.
 */
public final class PipelineBench {

    /** How long a run may take. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    private static final String RAW_TOPIC = "millrace.bench.raw";
    private static final String BLOCKING_TOPIC = "millrace.bench.blocking";
    private static final int LATEST_WARM_UP = 16;
    private static final long SEED = 42;

    /** Opens the model's engine. */
    @FunctionalInterface
    public interface Engines {

        /**
         * Opens it.
         *
         * @param threads that compute; 0: one for each core
         */
        InferenceEngine open(int threads) throws IOException;
    }

    /**
     * Whom it measures.
     *
     * @param model its name
     * @param file its file
     * @param mainClass of the command line, whose {@code process} is watched while it idles
     * @param folder for broker and state; empty
     */
    public record Subject(String model, Path file, Engines engines, String mainClass, Path folder) {}

    private final Plan plan;
    private final Subject subject;
    private final Consumer<String> progress;
    private final BenchKafka kafka;
    private final int httpPort;
    private final Path config;
    private final ProcessorSettings settings;

    private PipelineBench(Plan plan, Subject subject, Consumer<String> progress, BenchKafka kafka)
            throws IOException, ConfigException {
        this.plan = plan;
        this.subject = subject;
        this.progress = progress;
        this.kafka = kafka;
        this.httpPort = BenchKafka.freePort();
        this.config = IdleProcess.writeConfig(subject, kafka, httpPort);
        this.settings = ProcessorSettings.of(MillraceConfig.load(config));
    }

    /**
     * Runs it.
     *
     * @param progress hears what is being done
     * @throws UnansweredException a prompt was not answered exactly once
     */
    public static PipelineReport run(Plan plan, Subject subject, Consumer<String> progress)
            throws IOException, InterruptedException {
        progress.accept("starting Kafka");
        try (BenchKafka kafka = BenchKafka.start(subject.folder().resolve("broker"))) {
            return new PipelineBench(plan, subject, progress, kafka).run();
        } catch (ConfigException e) {
            throw new IllegalStateException(e);
        }
    }

    private PipelineReport run() throws IOException, InterruptedException {
        int partitions = MillraceConfig.defaults().topics().partitions();
        try (Admin admin = kafka.admin()) {
            Topics.create(admin, settings, new Topics.Shape(partitions, (short) 1));
        }
        kafka.createTopic(RAW_TOPIC, partitions);
        kafka.createTopic(BLOCKING_TOPIC, partitions);
        OptionalDouble idle = idle();
        try (InferenceEngine one = subject.engines().open(1);
                InferenceEngine all = subject.engines().open(0);
                InferenceEngine immediate = new ImmediateEngine()) {
            var oneThread = new Pair(one, "one thread");
            var allCores = new Pair(all, "all cores");
            List<Run> blocking = new ArrayList<>();
            throughput(oneThread, allCores, blocking);
            return new PipelineReport(
                    plan,
                    one.model().name(),
                    Runtime.getRuntime().availableProcessors(),
                    Runtime.version().toString(),
                    oneThread.report(1),
                    allCores.report(Runtime.getRuntime().availableProcessors()),
                    blockingReport(oneThread, blocking),
                    loaded(one),
                    immediate(immediate),
                    idle);
        }
    }

    private OptionalDouble idle() throws InterruptedException {
        if (plan.idle().isZero()) {
            return OptionalDouble.empty();
        }
        progress.accept("a process that idles for " + plan.idle().toSeconds() + " s");
        return OptionalDouble.of(IdleProcess.cpuPercent(subject, config, httpPort, plan.idle()));
    }

    /** Runs of engine and pipeline with the same prompts, taking turns. */
    private final class Pair {

        private final InferenceEngine engine;
        private final String name;
        private final List<Run> bare = new ArrayList<>();
        private final List<Run> piped = new ArrayList<>();

        Pair(InferenceEngine engine, String name) {
            this.engine = engine;
            this.name = name;
        }

        /** The one that begins changes from round to round: what drifts favours nobody. */
        void round(int round, List<Prompt> prompts, Schedule schedule) throws InterruptedException {
            List<Run> counted = new ArrayList<>(2);
            for (int turn = 0; turn < 2; turn++) {
                boolean engineFirst = round % 2 == 0;
                counted.add((turn == 0) == engineFirst ? bareRun(prompts, schedule) : pipedRun(prompts, schedule));
            }
            if (round >= 0) {
                bare.add(counted.get(round % 2 == 0 ? 0 : 1));
                piped.add(counted.get(round % 2 == 0 ? 1 : 0));
            }
        }

        Run bareRun(List<Prompt> prompts, Schedule schedule) throws InterruptedException {
            progress.accept(name + ": " + prompts.size() + " prompts straight into the engine");
            var endings = new Endings(prompts.size());
            var meter = new Meter(engine, kafka);
            try (var route = new EngineRoute(engine, endings)) {
                return Run.of(prompts, schedule, route, endings, meter, PATIENCE);
            }
        }

        Run pipedRun(List<Prompt> prompts, Schedule schedule) throws InterruptedException {
            progress.accept(name + ": " + prompts.size() + " prompts through the pipeline");
            var endings = new Endings(prompts.size());
            var meter = new Meter(engine, kafka);
            try (var route = new PipelineRoute(kafka, settings, engine, meter, endings)) {
                return Run.of(prompts, schedule, route, endings, meter, PATIENCE);
            }
        }

        Throughput report(int threads) {
            long same = 0;
            for (int round = 0; round < bare.size(); round++) {
                same += sameAnswers(bare.get(round).answers(), piped.get(round).answers());
            }
            long answers = bare.stream().mapToLong(run -> run.answers().size()).sum();
            return new Throughput(threads, Side.of(bare), Side.of(piped), ratio(piped, bare), same, answers);
        }
    }

    private static long sameAnswers(List<Endings.Answer> a, List<Endings.Answer> b) {
        return IntStream.range(0, a.size())
                .filter(i -> a.get(i).text().equals(b.get(i).text()))
                .count();
    }

    private static Sample ratio(List<Run> of, List<Run> to) {
        return new Sample(IntStream.range(0, of.size())
                .mapToDouble(i -> of.get(i).tokensPerSecond() / to.get(i).tokensPerSecond())
                .toArray());
    }

    private void throughput(Pair oneThread, Pair allCores, List<Run> blocking) throws InterruptedException {
        Plan.Burst burst = plan.throughput();
        List<Prompt> prompts = Prompt.random(burst, SEED);
        for (int round = -1; round < plan.rounds(); round++) {
            List<Prompt> some = round < 0 ? prompts.subList(0, Math.min(LATEST_WARM_UP, prompts.size())) : prompts;
            Schedule atOnce = Schedule.burst(some.size());
            oneThread.round(round, some, atOnce);
            allCores.round(round, some, atOnce);
            Run blocked = blockingRun(oneThread.engine, prompts.subList(0, round < 0 ? 1 : plan.blockingPrompts()));
            if (round >= 0) {
                blocking.add(blocked);
            }
        }
    }

    private Run blockingRun(InferenceEngine engine, List<Prompt> prompts) throws InterruptedException {
        progress.accept("one thread: " + prompts.size() + " prompts one at a time");
        var endings = new Endings(prompts.size());
        var meter = new Meter(engine, kafka);
        Path state = subject.folder().resolve("blocking");
        try (var route = new BlockingRoute(kafka, settings, BLOCKING_TOPIC, state, engine, endings)) {
            return Run.of(prompts, Schedule.burst(prompts.size()), route, endings, meter, PATIENCE);
        }
    }

    private Blocking blockingReport(Pair oneThread, List<Run> runs) {
        return new Blocking(plan.blockingPrompts(), Side.of(runs), ratio(oneThread.piped, runs));
    }

    private Added loaded(InferenceEngine engine) throws InterruptedException {
        Plan.Load load = plan.load();
        var pair = new Pair(engine, "arrivals");
        double capacity = capacity(pair, load.shape());
        var rate = new Plan.Rate(capacity * load.share(), load.time());
        for (int round = 0; round < plan.rounds(); round++) {
            List<Prompt> prompts = Prompt.random(load.shape().withPrompts(rate.count()), SEED + round);
            pair.round(round, prompts, Schedule.poisson(rate.count(), rate.perSecond(), SEED + round));
        }
        return added(rate, pair.bare, pair.piped);
    }

    /** Prompts a second that the engine answers when all are there at once; the faster of two runs. */
    private static double capacity(Pair pair, Plan.Burst shape) throws InterruptedException {
        List<Prompt> prompts = Prompt.random(shape, SEED);
        double best = 0;
        for (int i = 0; i < 2; i++) {
            Run run = pair.bareRun(prompts, Schedule.burst(prompts.size()));
            best = Math.max(best, prompts.size() / run.seconds());
        }
        return best;
    }

    private Added immediate(InferenceEngine engine) throws InterruptedException {
        var pair = new Pair(engine, "immediate engine");
        Plan.Rate rate = plan.busy();
        List<Run> raw = new ArrayList<>();
        List<Run> piped = new ArrayList<>();
        List<Prompt> prompts =
                Prompt.random(Plan.Burst.of(rate.count(), plan.load().shape().words(), 1), SEED);
        for (int round = -1; round < plan.rounds(); round++) {
            Schedule schedule = Schedule.poisson(rate.count(), rate.perSecond(), SEED + round);
            Run rawRun = rawRun(engine, prompts, schedule);
            Run pipedRun = pair.pipedRun(prompts, schedule);
            if (round >= 0) {
                raw.add(rawRun);
                piped.add(pipedRun);
            }
        }
        return added(rate, raw, piped);
    }

    /** The prompts' records written to a topic and read from it, and nothing else. */
    private Run rawRun(InferenceEngine engine, List<Prompt> prompts, Schedule schedule) throws InterruptedException {
        progress.accept(prompts.size() + " records through a topic");
        var endings = new Endings(prompts.size());
        var meter = new Meter(engine, kafka);
        try (var route = new KafkaRoute(kafka, RAW_TOPIC, List.of(RAW_TOPIC), KafkaRoute.Contents.PROMPTS, endings)) {
            return Run.of(prompts, schedule, route, endings, meter, PATIENCE);
        }
    }

    private static Added added(Plan.Rate rate, List<Run> reference, List<Run> piped) {
        return new Added(
                rate.perSecond(),
                rate.count(),
                Latency.of(all(reference, Run::latencyMs)),
                Latency.of(all(piped, Run::latencyMs)),
                addedOf(50, reference, piped),
                addedOf(99, reference, piped),
                Latency.of(all(piped, Run::outsideEngineMs)));
    }

    private static Sample addedOf(int percent, List<Run> reference, List<Run> piped) {
        return new Sample(IntStream.range(0, piped.size())
                .mapToDouble(i -> Run.percentile(piped.get(i).latencyMs(), percent)
                        - Run.percentile(reference.get(i).latencyMs(), percent))
                .toArray());
    }

    private static double[] all(List<Run> runs, java.util.function.Function<Run, double[]> values) {
        return runs.stream()
                .flatMapToDouble(run -> java.util.Arrays.stream(values.apply(run)))
                .toArray();
    }
}
