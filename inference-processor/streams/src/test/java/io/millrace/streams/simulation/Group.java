package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The consumer group by the classic protocol, cooperative: a task that moves is first given up by its owner, which makes the
 * group meet again, and then given to the next one. A member that is not heard of loses its tasks to others at once.
 */
final class Group extends Actor {

    private final World world;
    private final Plan plan;
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final Map<Integer, String> target = new LinkedHashMap<>(); // who is to have a partition in the end
    private Set<String> targetMembers = Set.of();
    private int generation;
    private boolean meeting;
    private long meetingEndsNanos;
    private boolean reshuffle;
    private int named;
    private long nextCheckNanos;

    /** What the coordinator sees of a member. */
    interface Client {

        UUID process();

        boolean heartbeats();

        long lastPollNanos();
    }

    private static final class Member {
        private final Client client;
        private long heardNanos;
        private boolean joined;
        private Set<Integer> owned = Set.of();
        private Set<Integer> assigned = Set.of();

        Member(Client client) {
            this.client = client;
        }
    }

    Group(World world, Plan plan) {
        super("group", null);
        this.world = world;
        this.plan = plan;
    }

    int generation() {
        return generation;
    }

    boolean has(@Nullable String memberId) {
        return members.containsKey(memberId);
    }

    /** Whether a process has a member; empty during a meeting. */
    Optional<Boolean> hasProcess(UUID process) {
        return meeting
                ? Optional.empty()
                : Optional.of(members.values().stream()
                        .anyMatch(member -> member.client.process().equals(process)));
    }

    int size() {
        return members.size();
    }

    boolean isMeeting() {
        return meeting;
    }

    boolean hasJoined(String memberId) {
        return member(memberId).joined;
    }

    Set<Integer> assignedTo(String memberId) {
        return member(memberId).assigned;
    }

    /** Calls a meeting that gives out the tasks anew. */
    void reshuffle() {
        if (!members.isEmpty()) {
            reshuffle = true;
            callMeeting();
        }
    }

    /** Joins, or joins again, and thereby calls a meeting if there is none. */
    String join(@Nullable String memberId, Client client, Set<Integer> owned) {
        String id = memberId == null ? "m" + ++named : memberId;
        Member member = members.computeIfAbsent(id, unknown -> new Member(client));
        member.heardNanos = world.nanos();
        callMeeting();
        member.joined = true;
        member.owned = Set.copyOf(owned);
        world.note(name, "joined", id, member.owned, generation);
        endMeetingIfAllAreHere();
        return id;
    }

    void leave(String memberId) {
        if (members.remove(memberId) != null) {
            world.note(name, "left", memberId, generation);
            callMeeting();
            endMeetingIfAllAreHere();
        }
    }

    private Member member(String memberId) {
        return Objects.requireNonNull(members.get(memberId), memberId);
    }

    private void callMeeting() {
        if (!meeting) {
            meeting = true;
            meetingEndsNanos = world.nanos() + plan.maxPollNanos();
            members.values().forEach(member -> member.joined = false);
        }
    }

    private void endMeetingIfAllAreHere() {
        if (meeting && members.values().stream().allMatch(member -> member.joined)) {
            endMeeting();
        }
    }

    private void endMeeting() {
        members.values().removeIf(member -> !member.joined);
        meeting = false;
        generation++;
        drawTarget();
        Map<Integer, String> owners = owners();
        Map<String, Set<Integer>> assigned = new LinkedHashMap<>();
        members.keySet().forEach(id -> assigned.put(id, new TreeSet<>()));
        target.forEach((partition, id) -> {
            String owner = owners.get(partition);
            if (owner == null || owner.equals(id)) {
                Objects.requireNonNull(assigned.get(id), id).add(partition);
            }
        });
        assigned.forEach((id, partitions) -> {
            member(id).assigned = partitions;
            world.note(name, "assigned", id, partitions, generation);
        });
    }

    private Map<Integer, String> owners() {
        Map<Integer, String> owners = new LinkedHashMap<>();
        members.forEach((id, member) -> member.owned.forEach(partition -> {
            if (owners.put(partition, id) != null) {
                throw new AssertionError("partition=" + partition + ", expected=one owner");
            }
        }));
        return owners;
    }

    /** Stays as it is while the members do, so that what was begun is brought to an end. */
    private void drawTarget() {
        if (targetMembers.equals(members.keySet()) && !reshuffle) {
            return;
        }
        targetMembers = new TreeSet<>(members.keySet());
        target.clear();
        if (members.isEmpty()) {
            return;
        }
        Map<Integer, String> owners = reshuffle ? Map.of() : owners();
        int most = Math.ceilDiv(plan.partitions(), members.size());
        Map<String, Integer> loads = new LinkedHashMap<>();
        members.keySet().forEach(id -> loads.put(id, 0));
        List<Integer> free = new ArrayList<>();
        for (int partition = 0; partition < plan.partitions(); partition++) {
            String owner = owners.get(partition);
            if (owner != null && loads.getOrDefault(owner, most) < most) {
                give(partition, owner, loads);
            } else {
                free.add(partition);
            }
        }
        for (int partition : free) {
            give(partition, leastLoaded(loads), loads);
        }
        reshuffle = false;
    }

    private void give(int partition, String id, Map<String, Integer> loads) {
        target.put(partition, id);
        loads.merge(id, 1, Integer::sum);
    }

    private String leastLoaded(Map<String, Integer> loads) {
        int least = loads.values().stream().mapToInt(load -> load).min().orElseThrow();
        List<String> candidates = loads.entrySet().stream()
                .filter(entry -> entry.getValue() == least)
                .map(Map.Entry::getKey)
                .toList();
        return candidates.get(world.random.below(candidates.size()));
    }

    /** Whether so much of the time has passed in which a member has to be heard of, and to poll. */
    private boolean isLate(Member member, long now, int percent) {
        return member.client.heartbeats()
                ? now - member.client.lastPollNanos() > plan.maxPollNanos() * percent / 100
                : now - member.heardNanos > plan.sessionNanos() * percent / 100;
    }

    /** Whether a member may soon be out: who goes on after a long pause has not polled yet. */
    boolean hasLateMember() {
        return members.values().stream().anyMatch(member -> isLate(member, world.nanos(), 50));
    }

    @Override
    long wakeAtNanos() {
        return members.isEmpty() ? NEVER : nextCheckNanos;
    }

    /** Who is not heard of, or does not poll, is out. */
    @Override
    void step() {
        long now = world.nanos();
        nextCheckNanos = now + plan.sessionNanos() / 8;
        Collection<String> gone = new ArrayList<>();
        members.forEach((id, member) -> {
            if (member.client.heartbeats()) {
                member.heardNanos = now;
            }
            if (isLate(member, now, 100)) {
                gone.add(id);
            }
        });
        gone.forEach(this::leave);
        if (meeting && now > meetingEndsNanos) {
            endMeeting();
        }
    }
}
