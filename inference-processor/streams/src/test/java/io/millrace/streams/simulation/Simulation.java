package io.millrace.streams.simulation;

import io.millrace.streams.config.Ordering;
import java.util.ArrayList;
import java.util.List;

/**
 * One run: prompts are sent, faults strike, and when they are over everything has to come to rest with one ending for each
 * prompt. Everything is drawn from the seed, so the same seed runs the same way each time.
 *
 * <p>Real: processor, intake, leases, gate, gated consumer, fenced producer, commit pacer, engine loop, scheduler. Modelled:
 * brokers, group, Kafka's clients, stream threads ({@link Cluster}, {@link Group}, {@link StreamThread}), the device.
 */
final class Simulation {

    /** Where prompts of one key wait for each other, those that kill do so one after another, nine times each. */
    private static final int MOST_TURNS_TO_REST = 5_000_000;

    private static final int TURNS_AT_REST = 50;
    private static final int KEYS_OF_A_PARTITION = 3;

    private final World world;
    private final Plan plan;
    private final Cluster cluster;
    private final Faults faults;
    private final List<List<Prompt>> sent = new ArrayList<>();
    private final Oracle oracle;
    private final Sender sender;

    Simulation(long seed, Mutation mutation) {
        world = new World(seed);
        plan = Plan.draw(seed, world.random);
        cluster = new Cluster(world, plan);
        for (int i = 0; i < plan.partitions(); i++) {
            sent.add(new ArrayList<>());
        }
        Commands commands = new Commands(world, plan);
        oracle = new Oracle(cluster, plan, sent, commands);
        sender = new Sender();
        faults = new Faults(world, cluster, plan, commands, mutation);
        world.add(cluster);
        world.add(cluster.group);
        world.add(faults);
        world.add(sender);
    }

    /** @throws AssertionError when something is lost, doubled, left, or does not come to rest */
    void run() {
        while (!faults.isOver()) {
            world.turn();
        }
        int turns = 0;
        while (!isAtRest()) {
            if (!world.turn() || ++turns > MOST_TURNS_TO_REST) {
                throw new AssertionError("no rest: " + unrest());
            }
        }
        world.note("simulation", "at rest");
        for (int i = 0; i < TURNS_AT_REST; i++) {
            world.turn();
        }
        String unrest = unrest();
        if (!unrest.isEmpty()) {
            throw new AssertionError("no rest after rest: " + unrest);
        }
        oracle.check();
        faults.instances().forEach(Instance::checkAtRest);
    }

    Trace trace() {
        return world.trace;
    }

    long turns() {
        return world.steps();
    }

    Plan plan() {
        return plan;
    }

    private boolean isAtRest() {
        return unrest().isEmpty();
    }

    private String unrest() {
        if (sender.left > 0 || !oracle.isAllCommitted()) {
            return "not all is committed";
        }
        List<Instance> instances = faults.instances();
        if (instances.size() != plan.slots()) {
            return "instances=" + instances.size() + ", expected=" + plan.slots();
        }
        for (Instance instance : instances) {
            String unrest = instance.unrest();
            if (!unrest.isEmpty()) {
                return unrest;
            }
        }
        if (cluster.group.hasLateMember()) {
            return "a member is late";
        }
        return cluster.group.size() == instances.size() ? "" : "members=" + cluster.group.size();
    }

    /** Sends the prompts, over about as long as the faults go on. */
    private final class Sender extends Actor {

        private int left = plan.prompts();
        private long nextNanos;

        Sender() {
            super("sender", null);
        }

        @Override
        long wakeAtNanos() {
            return left == 0 ? NEVER : nextNanos;
        }

        @Override
        void step() {
            left--;
            nextNanos = world.nanos() + world.random.nanos(0, 2 * plan.faultsNanos() / plan.prompts() / 1_000_000);
            int partition = world.random.below(plan.partitions());
            Prompt prompt = Prompt.draw(world.random, plan, world.nanos());
            sent.get(partition).add(prompt);
            byte[] key = world.random.oneIn(4) ? null : key(partition);
            int offset = sent.get(partition).size() - 1;
            cluster.input(partition)
                    .append(Log.Entry.of(key, prompt.encode(), Prompt.headers(Commands.place(partition, offset))));
            world.note(name, "sent", partition, offset, prompt.kind().name());
        }

        private byte[] key(int partition) {
            return plan.ordering() == Ordering.NONE
                    ? new byte[] {(byte) partition}
                    : new byte[] {(byte) partition, (byte) world.random.below(KEYS_OF_A_PARTITION)};
        }
    }
}
