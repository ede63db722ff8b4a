package io.millrace.bench.chaos;

import io.millrace.devstack.KafkaCluster;
import io.millrace.devstack.TopicReader;
import io.millrace.devstack.oracle.ExactlyOnceOracle;
import io.millrace.devstack.oracle.Place;
import io.millrace.devstack.oracle.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cluster of three, workers, prompts, faults; then peace, until everything has ended; then the oracle.
 *
 * <p>Threads: one caller. All child processes end with this JVM.
 */
public final class ChaosRun {

    private static final Logger LOG = LoggerFactory.getLogger(ChaosRun.class);

    /** Of each topic; leaves work for each of 4 workers. */
    private static final int PARTITIONS = 12;

    /** How long nothing may end, in peace, before it is given up. */
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(250);

    private final ChaosPlan plan;
    private final Path directory;
    private final Consumer<String> progress;
    private final List<String> troubles = new ArrayList<>();
    private final ConcurrentLinkedQueue<String> faultTroubles = new ConcurrentLinkedQueue<>();
    private final Recoveries recoveries = new Recoveries();

    private ChaosRun(ChaosPlan plan, Path directory, Consumer<String> progress) {
        this.plan = plan;
        this.directory = directory;
        this.progress = progress;
    }

    /**
     * Runs it.
     *
     * @param directory empty or absent; keeps the cluster's data and all logs
     * @param progress hears, a few times a second, how far it is
     */
    public static ChaosReport run(ChaosPlan plan, Path directory, Consumer<String> progress)
            throws IOException, InterruptedException {
        Files.createDirectories(directory);
        return new ChaosRun(plan, directory, progress).run();
    }

    private ChaosReport run() throws IOException, InterruptedException {
        progress.accept("starting three brokers");
        try (KafkaCluster cluster = KafkaCluster.start(directory.resolve("cluster"));
                TopicReader kafka = new TopicReader(Map.of("bootstrap.servers", cluster.directServers()))) {
            Path config = directory.resolve("workers.yaml");
            AppFiles.writeConfig(
                    config,
                    cluster.bootstrapServers(),
                    KafkaCluster.REPLICATION_FACTOR,
                    plan.worker().model(),
                    directory.resolve("states"));
            AppFiles.createTopics(kafka.admin(), config, PARTITIONS, KafkaCluster.REPLICATION_FACTOR);
            try (Workers workers = new Workers(plan.worker(), config, directory, plan.workers());
                    EndingTail tail = new EndingTail(kafka, recoveries::ended)) {
                return run(cluster, kafka, workers, tail);
            }
        }
    }

    private ChaosReport run(KafkaCluster cluster, TopicReader kafka, Workers workers, EndingTail tail)
            throws InterruptedException {
        Injector injector = new Injector(cluster, workers, new Group(kafka), recoveries);
        workers.awaitReady(PATIENCE, () -> progress.accept("waiting for the workers to be ready"));
        PromptLoad load = new PromptLoad(cluster.directServers(), plan.seed(), plan.rate());
        long startMs = System.currentTimeMillis();
        try (load) {
            injectAll(injector, workers, load, tail);
            injector.heal();
        }
        long drainStart = System.nanoTime();
        drain(load, tail);
        Duration drain = Duration.ofNanos(System.nanoTime() - drainStart);
        workers.sample();
        workers.stopSupervising();
        progress.accept("stopping the workers");
        for (Workers.Slot slot : workers.all()) {
            if (!workers.terminate(slot)) {
                troubles.add(slot.name() + " did not end on SIGTERM; its log is "
                        + slot.process().log());
            }
        }
        troubles.addAll(faultTroubles);
        progress.accept("asking the oracle");
        Verdict verdict = new ExactlyOnceOracle(kafka, AppFiles.APPLICATION, AppFiles.topics(), Map.of()).check();
        return report(injector, workers, load, verdict, drain, startMs);
    }

    private void injectAll(Injector injector, Workers workers, PromptLoad load, EndingTail tail)
            throws InterruptedException {
        long startNanos = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Fault> rest = new ArrayList<>(plan.schedule());
            Duration since = Duration.ZERO;
            while (since.compareTo(plan.time()) < 0) {
                while (!rest.isEmpty() && rest.getFirst().at().compareTo(since) <= 0) {
                    Fault fault = rest.removeFirst();
                    threads.execute(() -> inject(injector, fault));
                }
                progress.accept("%d:%02d of %d:%02d  prompts %d  ended %d  faults %d  workers %d"
                        .formatted(
                                since.toMinutes(),
                                since.toSecondsPart(),
                                plan.time().toMinutes(),
                                plan.time().toSecondsPart(),
                                load.sent().size(),
                                tail.ended(),
                                injector.done().size(),
                                workers.unclaimed().size()));
                sleep(BETWEEN_LOOKS);
                since = Duration.ofNanos(System.nanoTime() - startNanos);
            }
            progress.accept("waiting for the last faults to end");
        }
    }

    private void inject(Injector injector, Fault fault) {
        try {
            LOG.info("fault {}", fault);
            injector.inject(fault);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("fault {} went wrong", fault, e);
            faultTroubles.add("fault " + fault.kind() + " at " + fault.at() + " went wrong: " + e.getMessage());
        }
    }

    private void drain(PromptLoad load, EndingTail tail) throws InterruptedException {
        int prompts = load.sent().size();
        if (!tail.awaitEnded(
                prompts,
                PATIENCE,
                () -> progress.accept("draining  prompts %d  ended %d".formatted(prompts, tail.ended())))) {
            troubles.add("nothing ended for " + PATIENCE + " in peace: prompts=" + prompts + ", ended=" + tail.ended());
        }
    }

    private ChaosReport report(
            Injector injector, Workers workers, PromptLoad load, Verdict verdict, Duration drain, long startMs) {
        List<String> violations = new ArrayList<>(verdict.violations(load.atFault()));
        Set<Place> unseen = new TreeSet<>(load.sent());
        unseen.removeAll(verdict.inputs());
        if (!unseen.isEmpty()) {
            violations.add("acknowledged prompts that no commit covers=" + unseen.size() + ", expected=0: " + unseen);
        }
        violations.addAll(troubles);
        List<Injector.Done> done = injector.done();
        return new ChaosReport(
                plan,
                done.stream()
                        .map(each -> new ChaosReport.Happened(
                                Duration.ofMillis(each.atMs() - startMs), each.kind(), each.target()))
                        .toList(),
                lines(done),
                totals(workers, load, verdict),
                violations,
                drain,
                workers.launches(),
                workers.unaskedExits());
    }

    private List<ChaosReport.Line> lines(List<Injector.Done> done) {
        return Arrays.stream(FaultKind.values())
                .filter(plan.kinds()::contains)
                .map(kind -> new ChaosReport.Line(
                        kind,
                        (int) done.stream().filter(each -> each.kind() == kind).count(),
                        recoveries.millis(kind).stream()
                                .sorted()
                                .map(Duration::ofMillis)
                                .toList()))
                .toList();
    }

    private static ChaosReport.Totals totals(Workers workers, PromptLoad load, Verdict verdict) {
        return new ChaosReport.Totals(
                verdict.inputs().size() + verdict.uncommitted(),
                verdict.results().size(),
                verdict.failed().size(),
                verdict.lost(),
                verdict.doubled(),
                verdict.wronglyFailed(load.atFault()),
                verdict.results().stream()
                        .mapToLong(result -> result.getUsage().getCompletionTokens())
                        .sum(),
                (long) workers.total("millrace_engine_generation_tokens_total"),
                (long) workers.total("millrace_runs_adopted_total"),
                (long) workers.total("millrace_adopted_generation_tokens_total"));
    }

    private static void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
