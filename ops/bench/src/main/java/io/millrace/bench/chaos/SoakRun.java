package io.millrace.bench.chaos;

import io.millrace.devstack.EmbeddedKafka;
import io.millrace.devstack.TopicReader;
import io.millrace.devstack.oracle.ExactlyOnceOracle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Bytes;

/**
 * A broker, one or two workers and steady prompts for a long time, to see whether anything grows that should not.
 *
 * <p>Threads: one caller. The workers end with this JVM.
 */
public final class SoakRun {

    private static final int PARTITIONS = 4;
    private static final double KIB = 1024;
    private static final double MIB = 1024 * KIB;
    private static final String KAFKA = "kafka";
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private final SoakPlan plan;
    private final Path directory;
    private final Consumer<String> progress;
    private final Samples samples = new Samples();
    private int endedBefore;
    private double hourBefore;

    private SoakRun(SoakPlan plan, Path directory, Consumer<String> progress) {
        this.plan = plan;
        this.directory = directory;
        this.progress = progress;
    }

    /**
     * Runs it.
     *
     * @param directory empty or absent; keeps the broker's data and the workers' logs
     * @param progress hears how far it is
     */
    public static SoakReport run(SoakPlan plan, Path directory, Consumer<String> progress)
            throws IOException, InterruptedException {
        if (!ProcFiles.exist()) {
            throw new IllegalStateException("this system has no /proc, expected=Linux");
        }
        Files.createDirectories(directory);
        return new SoakRun(plan, directory, progress).run();
    }

    private SoakReport run() throws IOException, InterruptedException {
        progress.accept("starting a broker");
        try (EmbeddedKafka broker = EmbeddedKafka.start(directory.resolve("broker"));
                TopicReader kafka = new TopicReader(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Path config = directory.resolve("workers.yaml");
            AppFiles.writeConfig(
                    config, broker.bootstrapServers(), 1, plan.worker().model(), directory.resolve("states"));
            AppFiles.createTopics(kafka.admin(), config, PARTITIONS, 1);
            try (Workers workers = new Workers(plan.worker(), config, directory, plan.workers());
                    EndingTail tail = new EndingTail(kafka, ending -> {})) {
                workers.awaitReady(PATIENCE, () -> progress.accept("waiting for the workers to be ready"));
                PromptLoad load = new PromptLoad(broker.bootstrapServers(), plan.seed(), plan.rate());
                try (load) {
                    watch(kafka, workers, tail, load);
                }
                return finish(kafka, workers, tail, load);
            }
        }
    }

    private void watch(TopicReader kafka, Workers workers, EndingTail tail, PromptLoad load)
            throws InterruptedException {
        long startNanos = System.nanoTime();
        for (int i = 1; plan.every().multipliedBy(i).compareTo(plan.time()) <= 0; i++) {
            long dueNanos = startNanos + plan.every().multipliedBy(i).toNanos();
            sleep(Duration.ofNanos(Math.max(0, dueNanos - System.nanoTime())));
            double hour = (System.nanoTime() - startNanos) / 3.6e12;
            samples.at(hour);
            for (Workers.Slot slot : workers.all()) {
                sample(workers, slot);
            }
            sample(kafka, tail, load, hour);
            progress.accept("%.1f of %.1f min  prompts %d  ended %d"
                    .formatted(
                            hour * 60,
                            plan.time().toMillis() / 60_000.0,
                            load.sent().size(),
                            tail.ended()));
        }
    }

    private void sample(Workers workers, Workers.Slot slot) throws InterruptedException {
        String subject = "worker " + slot.number();
        ProcFiles.of(slot.process().pid()).ifPresent(proc -> {
            samples.put(subject, "RSS MiB", proc.rssMib());
            samples.put(subject, "threads", proc.threads());
            samples.put(subject, "open files", proc.openFiles());
        });
        workers.metric(slot, "jvm_memory_used_bytes{area=\"heap\"}")
                .ifPresent(bytes -> samples.put(subject, "heap MiB", bytes / MIB));
        workers.metric(slot, "millrace_num_requests_pending")
                .ifPresent(pending -> samples.put(subject, "pending", pending));
    }

    private void sample(TopicReader kafka, EndingTail tail, PromptLoad load, double hour) {
        int ended = tail.ended();
        samples.put(KAFKA, "endings per second", (ended - endedBefore) / (hour - hourBefore) / 3600);
        endedBefore = ended;
        hourBefore = hour;
        samples.put(KAFKA, "prompts not ended", load.sent().size() - ended);
        samples.put(KAFKA, "last stable offset lag", (double) lag(kafka));
        samples.put(KAFKA, "changelog KiB", changelogBytes(kafka) / KIB);
        List<ConsumerRecord<byte[], byte[]>> changelog = kafka.readCommitted(AppFiles.CHANGELOG);
        Set<Bytes> live = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> change : changelog) {
            if (change.value() == null) {
                live.remove(Bytes.wrap(change.key()));
            } else {
                live.add(Bytes.wrap(change.key()));
            }
        }
        samples.put(KAFKA, "changelog records", changelog.size());
        samples.put(KAFKA, "changelog live entries", live.size());
    }

    /** Records that open transactions hide, with the transactions' markers. */
    private static long lag(TopicReader kafka) {
        long lag = 0;
        for (String topic : List.of(AppFiles.topics().results(), AppFiles.CHANGELOG)) {
            Map<?, Long> stable = kafka.lastStableOffsets(topic); // first, so that the lag is not below zero
            lag += sum(kafka.endOffsets(topic)) - sum(stable);
        }
        return lag;
    }

    private static long sum(Map<?, Long> offsets) {
        return offsets.values().stream().mapToLong(Long::longValue).sum();
    }

    private static long changelogBytes(TopicReader kafka) {
        long bytes = 0;
        var brokers = TopicReader.await(kafka.admin().describeCluster().nodes(), "nodes").stream()
                .map(org.apache.kafka.common.Node::id)
                .toList();
        for (Map<String, LogDirDescription> folders : TopicReader.await(
                        kafka.admin().describeLogDirs(brokers).allDescriptions(), "log folders")
                .values()) {
            for (LogDirDescription folder : folders.values()) {
                bytes += folder.replicaInfos().entrySet().stream()
                        .filter(each -> each.getKey().topic().equals(AppFiles.CHANGELOG))
                        .mapToLong(each -> each.getValue().size())
                        .sum();
            }
        }
        return bytes;
    }

    private SoakReport finish(TopicReader kafka, Workers workers, EndingTail tail, PromptLoad load)
            throws InterruptedException {
        List<String> violations = new ArrayList<>();
        if (!tail.awaitEnded(load.sent().size(), PATIENCE, () -> progress.accept("draining"))) {
            violations.add(
                    "nothing ended for " + PATIENCE + ": prompts=" + load.sent().size() + ", ended=" + tail.ended());
        }
        workers.stopSupervising();
        for (Workers.Slot slot : workers.all()) {
            if (!workers.terminate(slot)) {
                violations.add(slot.name() + " did not end on SIGTERM");
            }
        }
        workers.unaskedExits().forEach(name -> violations.add(name + " ended unasked"));
        violations.addAll(new ExactlyOnceOracle(kafka, AppFiles.APPLICATION, AppFiles.topics(), Map.of())
                .check()
                .violations(load.atFault()));
        return new SoakReport(
                plan,
                samples.hours(),
                samples.series(),
                samples.settledFrom(),
                load.sent().size(),
                violations);
    }

    private static void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
