package io.millrace.bench.chaos;

import io.millrace.bench.chaos.Workers.Slot;
import io.millrace.devstack.KafkaCluster;
import io.millrace.devstack.TcpProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Does the faults.
 *
 * <p>Threads: any; each fault has one that waits for its length. One broker at a time is away.
 */
final class Injector {

    private static final String RECOVERED = "millrace_prompts_recovered_total";
    private static final Duration RESTORE_PATIENCE = Duration.ofSeconds(40);
    private static final Duration TRANSACTION_PATIENCE = Duration.ofSeconds(20);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private final KafkaCluster cluster;
    private final Workers workers;
    private final Group group;
    private final Recoveries recoveries;
    private final Semaphore brokers = new Semaphore(1);
    private final List<Done> done = new ArrayList<>();

    /**
     * A fault that happened.
     *
     * @param atMs wall clock
     * @param target what it hit
     */
    record Done(long atMs, FaultKind kind, String target) {}

    Injector(KafkaCluster cluster, Workers workers, Group group, Recoveries recoveries) {
        this.cluster = cluster;
        this.workers = workers;
        this.group = group;
        this.recoveries = recoveries;
    }

    /** What happened so far. */
    synchronized List<Done> done() {
        return List.copyOf(done);
    }

    /** Does one, and returns when what was broken is whole again. */
    void inject(Fault fault) throws InterruptedException {
        int node = fault.target() % cluster.size();
        switch (fault.kind()) {
            case KILL -> kill(fault);
            case STOP -> stop(fault);
            case STOP_RESTORED -> stopRestored(fault);
            case SCALE_DOWN -> scaleDown(fault);
            case SCALE_UP -> scaleUp(fault);
            case BROKER_RESTART, BROKER_KILL -> breakBroker(fault, node);
            case CUT, DELAY, STALL -> breakConnections(fault, node);
            case LOST_ACK -> loseAck(fault);
        }
    }

    /** Everything is as if nothing had been broken. */
    void heal() {
        for (int node = 0; node < cluster.size(); node++) {
            cluster.proxy(node).heal();
        }
    }

    private void kill(Fault fault) throws InterruptedException {
        Optional<Slot> claimed = workers.claim(fault.target());
        if (claimed.isPresent()) {
            Slot victim = claimed.get();
            hit(fault, victim.name(), group.partitionsOf(victim.name()));
            victim.process().kill();
            sleep(fault.length());
            workers.relaunch(victim);
            workers.release(victim);
        }
    }

    private void stop(Fault fault) throws InterruptedException {
        Optional<Slot> claimed = workers.claim(fault.target());
        if (claimed.isPresent()) {
            Slot victim = claimed.get();
            hit(fault, victim.name(), group.partitionsOf(victim.name()));
            victim.process().pause(fault.length());
            workers.release(victim);
        }
    }

    private void stopRestored(Fault fault) throws InterruptedException {
        Optional<Slot> claimed = workers.claim(fault.target());
        if (claimed.isEmpty()) {
            return;
        }
        Slot victim = claimed.get();
        Map<String, Double> before = recovered();
        victim.process().kill();
        workers.relaunch(victim);
        workers.release(victim);
        long deadlineNanos = System.nanoTime() + RESTORE_PATIENCE.toNanos();
        while (System.nanoTime() < deadlineNanos) {
            for (Map.Entry<String, Double> now : recovered().entrySet()) {
                if (now.getValue() > before.getOrDefault(now.getKey(), 0.0) && stopNamed(fault, now.getKey())) {
                    return;
                }
            }
            sleep(BETWEEN_LOOKS);
        }
    }

    /** Prompts that each worker restored. */
    private Map<String, Double> recovered() throws InterruptedException {
        Map<String, Double> recovered = new HashMap<>();
        for (Slot slot : workers.unclaimed()) {
            String name = slot.name();
            workers.metric(slot, RECOVERED).ifPresent(count -> recovered.put(name, count));
        }
        return recovered;
    }

    private boolean stopNamed(Fault fault, String name) throws InterruptedException {
        for (Slot slot : workers.all()) {
            if (slot.name().equals(name) && workers.tryClaim(slot)) {
                long atMs = System.currentTimeMillis();
                // asked before the stop, the group's answer would let it go on for too long
                Thread asks = Thread.ofVirtual().start(() -> hitAt(atMs, fault, name, group.partitionsOf(name)));
                slot.process().pause(fault.length());
                asks.join();
                workers.release(slot);
                return true;
            }
        }
        return false;
    }

    private void scaleDown(Fault fault) throws InterruptedException {
        Optional<Slot> claimed = workers.claim(fault.target());
        if (claimed.isPresent()) {
            Slot victim = claimed.get();
            hit(fault, victim.name(), group.partitionsOf(victim.name()));
            requireEnd(victim);
            sleep(fault.length());
            workers.relaunch(victim);
            workers.release(victim);
        }
    }

    private void scaleUp(Fault fault) throws InterruptedException {
        long atMs = System.currentTimeMillis();
        Slot added = workers.add();
        note(atMs, fault, added.name());
        String name = added.name();
        recoveries.hit(
                fault.kind(),
                atMs,
                ending -> ending.instance().filter(name::equals).isPresent());
        sleep(fault.length());
        requireEnd(added);
        workers.remove(added);
    }

    private void requireEnd(Slot slot) throws InterruptedException {
        if (!workers.terminate(slot)) {
            throw new IllegalStateException(slot.name() + " did not end on SIGTERM; its log is "
                    + slot.process().log());
        }
    }

    private void breakBroker(Fault fault, int node) throws InterruptedException {
        brokers.acquire();
        try {
            hit(fault, "broker " + cluster.brokerId(node), group.ledBy(cluster.brokerId(node)));
            if (fault.kind() == FaultKind.BROKER_KILL) {
                cluster.kill(node);
            } else {
                cluster.stop(node);
            }
            sleep(fault.length());
            cluster.restart(node);
            cluster.awaitInSync();
        } finally {
            brokers.release();
        }
    }

    private void breakConnections(Fault fault, int node) throws InterruptedException {
        TcpProxy proxy = cluster.proxy(node);
        hit(fault, "broker " + cluster.brokerId(node), group.ledBy(cluster.brokerId(node)));
        switch (fault.kind()) {
            case CUT -> {
                proxy.refuse();
                proxy.cut();
            }
            case DELAY -> proxy.delay(Duration.ofMillis(100L + 200L * fault.variant()));
            default -> proxy.stall(fault.variant() == 0 ? TcpProxy.Direction.TO_BROKER : TcpProxy.Direction.TO_CLIENT);
        }
        sleep(fault.length());
        proxy.heal();
    }

    /** Set where a transaction is open, it happens with the end of that one, or of the next there. */
    private void loseAck(Fault fault) throws InterruptedException {
        TcpProxy.Loss loss = fault.variant() == 0 ? TcpProxy.Loss.CUT : TcpProxy.Loss.SILENCE;
        long deadlineNanos = System.nanoTime() + TRANSACTION_PATIENCE.toNanos();
        while (System.nanoTime() < deadlineNanos) {
            OptionalInt broker = group.openTransactionsCoordinator();
            for (int node = 0; node < cluster.size(); node++) {
                if (broker.isPresent() && cluster.brokerId(node) == broker.getAsInt()) {
                    String target = "broker " + broker.getAsInt() + " " + loss;
                    var _ = cluster.proxy(node)
                            .loseNextEndTxnResponse(loss)
                            .thenRun(() -> note(System.currentTimeMillis(), fault, target));
                    return;
                }
            }
            sleep(BETWEEN_LOOKS);
        }
    }

    private void hit(Fault fault, String target, Set<Integer> partitions) {
        hitAt(System.currentTimeMillis(), fault, target, partitions);
    }

    private void hitAt(long atMs, Fault fault, String target, Set<Integer> partitions) {
        note(atMs, fault, target + " " + partitions);
        recoveries.hit(fault.kind(), atMs, ending -> partitions.contains(ending.partition()));
    }

    private synchronized void note(long atMs, Fault fault, String target) {
        done.add(new Done(atMs, fault.kind(), target));
    }

    private static void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
