package io.millrace.bench.chaos;

import io.millrace.devstack.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The worker processes, by slots: one that dies unasked is started again, as an orchestrator would.
 *
 * <p>A fault claims the slot it works on, and nobody else touches it until it is released.
 *
 * <p>Threads: any; the monitor guards slots and claims, and one thread of its own looks after those not claimed.
 */
final class Workers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
    private static final String READY = "millrace_ready";
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
    private static final Duration RESTART_DELAY = Duration.ofSeconds(1);
    private static final Duration EXIT_PATIENCE = Duration.ofSeconds(90);

    private final ChaosPlan.Worker how;
    private final Path config;
    private final Path logs;
    private final List<Slot> slots = new ArrayList<>();
    private final List<String> unaskedExits = new ArrayList<>();
    private final Map<String, Map<String, Double>> lastMetrics = new ConcurrentHashMap<>();
    private final WorkerMetrics metrics = new WorkerMetrics();
    private final Thread supervisor;
    private int launches;
    private volatile boolean closing;

    /** A place for a process. Whoever claimed it uses it alone. */
    static final class Slot {
        private final int number;
        private final int port;
        private volatile String name = "";
        private volatile ChildJvm process;
        private boolean claimed;

        @SuppressWarnings("NullAway.Init") // launched before anybody sees it
        private Slot(int number) {
            this.number = number;
            this.port = freePort();
        }

        /** The process's name: instance and client id. */
        String name() {
            return name;
        }

        ChildJvm process() {
            return process;
        }

        int number() {
            return number;
        }
    }

    /** @param config names the variables of {@link AppFiles} */
    Workers(ChaosPlan.Worker how, Path config, Path logs, int count) {
        this.how = how;
        this.config = config;
        this.logs = logs;
        for (int i = 0; i < count; i++) {
            slots.add(launched(new Slot(i)));
        }
        this.supervisor = Thread.ofPlatform().name("worker-supervisor").daemon().start(this::supervise);
    }

    /** A slot that nobody uses: the one of that number or the next; empty if there is none. */
    synchronized Optional<Slot> claim(int target) {
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get((target + i) % slots.size());
            if (!slot.claimed && slot.process.isAlive()) {
                slot.claimed = true;
                return Optional.of(slot);
            }
        }
        return Optional.empty();
    }

    /** Claims this slot if nobody has. */
    synchronized boolean tryClaim(Slot slot) {
        if (slot.claimed || !slot.process.isAlive()) {
            return false;
        }
        slot.claimed = true;
        return true;
    }

    /** A further slot with a running process, claimed. */
    synchronized Slot add() {
        Slot slot = launched(new Slot(slots.size()));
        slot.claimed = true;
        slots.add(slot);
        return slot;
    }

    /** Takes away a slot that was added and whose process has ended. */
    synchronized void remove(Slot slot) {
        slots.remove(slot);
    }

    synchronized void release(Slot slot) {
        slot.claimed = false;
    }

    /** Starts the process of a claimed slot again. */
    void relaunch(Slot slot) {
        var _ = launched(slot);
    }

    /** SIGTERM, and the end; SIGKILL if that takes too long. Tells whether it did not. */
    boolean terminate(Slot slot) {
        return slot.process.stop(EXIT_PATIENCE);
    }

    /** Those that run and are not claimed. */
    synchronized List<Slot> unclaimed() {
        return slots.stream()
                .filter(slot -> !slot.claimed && slot.process.isAlive())
                .toList();
    }

    synchronized List<Slot> all() {
        return List.copyOf(slots);
    }

    /** Processes started so far. */
    synchronized int launches() {
        return launches;
    }

    /** Processes that ended without being asked to. */
    synchronized List<String> unaskedExits() {
        return List.copyOf(unaskedExits);
    }

    /**
     * Waits until all have loaded their model and joined.
     *
     * @param looking is run between looks
     */
    void awaitReady(Duration patience, Runnable looking) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        for (Slot slot : all()) {
            while (metric(slot, READY).orElse(0.0) < 1) {
                if (System.nanoTime() > deadlineNanos) {
                    throw new IllegalStateException(
                            slot.name + " is not ready after " + patience + "; its log is " + slot.process.log());
                }
                looking.run();
                TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
            }
        }
    }

    /** A metric now; empty if the worker does not answer. */
    Optional<Double> metric(Slot slot, String name) throws InterruptedException {
        return Optional.ofNullable(metrics.scrape(slot.port).get(name));
    }

    /** A counter's last known values, summed over all processes there were: those that were killed said a little less than all. */
    double total(String name) {
        return lastMetrics.values().stream()
                .mapToDouble(each -> each.getOrDefault(name, 0.0))
                .sum();
    }

    /** Reads all metrics once more. */
    void sample() throws InterruptedException {
        for (Slot slot : unclaimed()) {
            Map<String, Double> scraped = metrics.scrape(slot.port);
            if (!scraped.isEmpty()) {
                lastMetrics.put(slot.name, new HashMap<>(scraped));
            }
        }
    }

    private synchronized Slot launched(Slot slot) {
        slot.name = "worker-" + slot.number + "-" + launches++;
        slot.process = ChildJvm.start(new ChildJvm.Command(
                slot.name,
                how.mainClass(),
                how.jvmOptions(),
                List.of("process", "--config", config.toString()),
                Map.of(AppFiles.NAME_VARIABLE, slot.name, AppFiles.PORT_VARIABLE, Integer.toString(slot.port)),
                logs.resolve(slot.name + ".log")));
        return slot;
    }

    private void supervise() {
        try {
            while (!closing) {
                TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
                for (Slot slot : all()) {
                    restartIfGone(slot);
                }
                sample();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void restartIfGone(Slot slot) throws InterruptedException {
        synchronized (this) {
            if (closing || slot.claimed || slot.process.isAlive()) {
                return;
            }
            slot.claimed = true;
            unaskedExits.add(slot.name);
        }
        LOG.warn("{} ended unasked; its log is {}", slot.name, slot.process.log());
        TimeUnit.NANOSECONDS.sleep(RESTART_DELAY.toNanos());
        relaunch(slot);
        release(slot);
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port", e);
        }
    }

    /** From now on the dead stay dead. */
    void stopSupervising() throws InterruptedException {
        closing = true;
        supervisor.interrupt();
        supervisor.join();
    }

    /** Kills all. */
    @Override
    public void close() {
        closing = true;
        supervisor.interrupt();
        all().forEach(slot -> slot.process.close());
    }
}
