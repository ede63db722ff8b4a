package io.millrace.streams.intake;

import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.Origin;

/**
 * One pending prompt on its way through intake and engine, on behalf of one task.
 *
 * @param lease whom the ending goes to
 * @param key its key in the pending store
 * @param prompt the entry
 * @param topic the prompts topic's name
 * @param admittedNanos {@link System#nanoTime} of the admission
 */
public record Work(TaskLease lease, PendingKey key, PendingPrompt prompt, String topic, long admittedNanos) {

    /** The same with another state of its entry. */
    public Work with(PendingPrompt changed) {
        return new Work(lease, key, changed, topic, admittedNanos);
    }

    /** The prompt event. */
    public Origin origin() {
        return new Origin(
                topic,
                key.partition(),
                key.offset(),
                prompt.timestampMs(),
                prompt.key(),
                prompt.headers(),
                prompt.recoveries());
    }

    /**
     * The engine's id for a request that is started for it. It names the lease, so that a cancel for a closed task never
     * meets the same prompt submitted again in this JVM. A request that it adopts keeps its own id.
     */
    public String engineId() {
        return topic + "-" + key.partition() + "-" + key.offset() + "#" + lease.epoch();
    }

    /** The same for every owner: the seed of draws where the prompt has none. */
    public long seed() {
        long mixed = topic.hashCode() * 0x9E3779B97F4A7C15L + key.partition();
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L + key.offset();
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
