package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.List;

/** What goes wrong, and when: at moments of its own, and in the middle of what others do. */
final class Faults extends Actor implements World.Interruptions {

    private final World world;
    private final Cluster cluster;
    private final Plan plan;
    private final Commands commands;
    private final Mutation mutation;
    private final Slot[] slots;
    private final int crashesPerThousand;
    private final int stopsPerThousand;
    private long nextNanos;
    private long registryDownUntilNanos;
    private boolean over;

    private static final class Slot {
        private final List<Instance> lives = new ArrayList<>();
        private long startNanos;
    }

    Faults(World world, Cluster cluster, Plan plan, Commands commands, Mutation mutation) {
        super("faults", null);
        this.world = world;
        this.cluster = cluster;
        this.plan = plan;
        this.commands = commands;
        this.mutation = mutation;
        this.slots = new Slot[plan.slots()];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot();
            slots[i].startNanos = i == 0 ? 0 : world.random.nanos(0, 400);
        }
        crashesPerThousand = plan.has(Plan.Fault.CRASH) ? world.random.below(5) : 0;
        stopsPerThousand = plan.has(Plan.Fault.STOP) ? world.random.below(8) : 0;
        world.interruptions(this);
    }

    boolean isOver() {
        return over;
    }

    /** All processes that live. */
    List<Instance> instances() {
        List<Instance> alive = new ArrayList<>();
        for (Slot slot : slots) {
            if (!slot.lives.isEmpty() && slot.lives.getLast().isAlive()) {
                alive.add(slot.lives.getLast());
            }
        }
        return alive;
    }

    private boolean isEverySlotAlive() {
        for (Slot slot : slots) {
            if (slot.lives.isEmpty() || !slot.lives.getLast().isAlive()) {
                return false;
            }
        }
        return true;
    }

    @Override
    long wakeAtNanos() {
        return over && isEverySlotAlive() ? NEVER : nextNanos;
    }

    @Override
    void step() {
        long now = world.nanos();
        nextNanos = now + world.random.nanos(1, 60);
        if (!over && now > plan.faultsNanos()) {
            end();
        }
        startWhereNoneIs(now);
        if (!over && world.random.oneIn(2)) {
            Plan.Fault[] kinds = Plan.Fault.values();
            Plan.Fault kind = kinds[world.random.below(kinds.length)];
            List<Instance> alive = instances();
            if (plan.has(kind) && !alive.isEmpty()) {
                strike(kind, alive.get(world.random.below(alive.size())));
            }
        }
    }

    private void startWhereNoneIs(long now) {
        for (int i = 0; i < slots.length; i++) {
            Slot slot = slots[i];
            if (!slot.lives.isEmpty() && slot.lives.getLast().isAlive()) {
                slot.startNanos = over ? now : now + world.random.nanos(0, 300);
            } else if (now >= slot.startNanos || over) {
                String name = "p" + i + "." + slot.lives.size();
                world.note(name, "start");
                world.removeDead();
                slot.lives.add(new Instance(world, cluster, plan, commands, mutation, this, name));
            }
        }
    }

    private void strike(Plan.Fault kind, Instance instance) {
        long now = world.nanos();
        world.note(instance.name, kind.name());
        switch (kind) {
            case CRASH -> instance.kill();
            case STOP -> instance.stoppedUntilNanos = now + standstill();
            case CUT -> instance.cutUntilNanos = now + standstill();
            case SCALE -> instance.close(world.random.nanos(0, 200));
            case RESHUFFLE -> cluster.group.reshuffle();
            case REGISTRY -> registryDownUntilNanos = now + world.random.nanos(10, 300);
            case COMMANDS -> commands.sendAny();
            case PAUSE, LOST_ANSWER, STEP, MEMORY, BAD_PROMPTS, POISON, KILLERS -> {}
        }
    }

    /** Shorter or longer than sessions and transactions last. */
    private long standstill() {
        return switch (world.random.below(4)) {
            case 0 -> world.random.nanos(1, 20);
            case 1 -> plan.sessionNanos() * world.random.between(60, 200) / 100;
            case 2 -> plan.transactionNanos() * world.random.between(60, 200) / 100;
            default -> plan.maxPollNanos() + plan.sessionNanos() + world.random.nanos(0, 100);
        };
    }

    private void end() {
        over = true;
        world.note(name, "over");
        registryDownUntilNanos = 0;
        commands.resumeAll();
        for (Instance instance : instances()) {
            instance.stoppedUntilNanos = 0;
            instance.cutUntilNanos = 0;
        }
    }

    @Override
    public long at(Host host, String place) {
        int drawn = world.random.below(1000);
        if (!over) {
            if (drawn < crashesPerThousand) {
                world.note(host.name, "crash at " + place);
                host.kill();
                return 0;
            }
            if (drawn < crashesPerThousand + stopsPerThousand) {
                long standstill = standstill();
                world.note(host.name, "stop at " + place, standstill);
                host.stoppedUntilNanos = world.nanos() + standstill;
                return standstill;
            }
            if (drawn >= 996 && plan.has(Plan.Fault.PAUSE)) {
                world.note(host.name, "pause at " + place);
                return standstill();
            }
        }
        return drawn >= 980 ? world.random.nanos(0, 2) : 0;
    }

    boolean failsStep() {
        return !over && plan.has(Plan.Fault.STEP) && world.random.oneIn(8) && noted("step fails");
    }

    boolean exhaustsMemory(int stepTokens) {
        return !over
                && plan.has(Plan.Fault.MEMORY)
                && stepTokens > world.random.between(1, 60)
                && noted("memory exhausted");
    }

    private boolean noted(String what) {
        world.note(name, what);
        return true;
    }

    boolean losesAnswer() {
        return !over && plan.has(Plan.Fault.LOST_ANSWER) && world.random.oneIn(12);
    }

    boolean registryIsDown() {
        return world.nanos() < registryDownUntilNanos;
    }
}
