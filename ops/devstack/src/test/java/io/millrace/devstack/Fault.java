package io.millrace.devstack;

import java.util.Arrays;
import java.util.Optional;

/** The rows of the failure matrix: what may happen to the program, and what must come of it. */
public enum Fault {
    WORKER_KILL("worker kill -9 mid-generation", "another worker takes over and generates again"),
    ZOMBIE_UNDER_TRAFFIC("zombie under traffic", "it is fenced and closes dirty"),
    ZOMBIE_WITH_RESTORED_ENTRIES(
            "zombie that holds only restored entries, no new input, stopped between poll and commit",
            "it is fenced; nothing is doubled"),
    BLOCKED_THREAD("one thread blocked while another member joins", "the other partitions flow on"),
    SCALING(
            "scale up or down mid-generation; a new instance on a long changelog",
            "work moves; orphaned work is adopted or dropped"),
    BROKER_KILL("broker kill -9, restart", "retry, or abort and revive"),
    LOST_ACKNOWLEDGEMENT("coordinator timeout, lost acknowledgement", "revive and adopt; no duplicate"),
    REGISTRY_DOWN("registry down for a minute", "the gate is closed; nothing is dead-lettered"),
    BAD_INPUT(
            "corrupt Avro, oversized prompt, timestamp -1, null key", "dead-letters or failures; the offset advances"),
    RESULT_TOO_LARGE("result too large", "a failure record, before anything is forwarded"),
    HUNG_GENERATION("hung or slow generation", "deadline, cancel, failure record"),
    OUT_OF_MEMORY("GPU out of memory", "a smaller batch; requeued; epoch + 1"),
    POISON(
            "native crash by a poison prompt",
            "quarantine, strikes, a failure at the third; its neighbours are answered"),
    SILENT_ENGINE("engine silent for N s", "the gate is closed, readiness fails, the process exits"),
    DUPLICATE_SENDS("duplicate sends", "one result for each offset, or deduplicated"),
    CLOCK_JUMP("clock jump", "no progress is lost"),
    SLOW_DOWNSTREAM("slow downstream", "what is pending stays bounded");

    private final String row;
    private final String mustHappen;

    Fault(String row, String mustHappen) {
        this.row = row;
        this.mustHappen = mustHappen;
    }

    /** The row with this name, as {@link MatrixRow} gives it. */
    public static Optional<Fault> ofRow(String row) {
        return Arrays.stream(values()).filter(fault -> fault.row.equals(row)).findFirst();
    }

    /** The row's name. */
    public String row() {
        return row;
    }

    /** What must come of it. */
    public String mustHappen() {
        return mustHappen;
    }
}
