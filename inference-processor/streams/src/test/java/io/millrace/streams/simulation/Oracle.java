package io.millrace.streams.simulation;

import io.millrace.streams.records.DeadLetterHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Bytes;

/** The rule of every run: one ending for each prompt, one that it deserves, and nothing left. */
final class Oracle {

    private final Cluster cluster;
    private final Plan plan;
    private final List<List<Prompt>> sent; // by partition and offset

    private final Commands commands;

    Oracle(Cluster cluster, Plan plan, List<List<Prompt>> sent, Commands commands) {
        this.cluster = cluster;
        this.plan = plan;
        this.sent = sent;
        this.commands = commands;
    }

    private record Ending(int partition, int offset, String name, String text) {}

    /** Whether all input is committed and nothing is pending, as far as the brokers know. */
    boolean isAllCommitted() {
        for (int partition = 0; partition < plan.partitions(); partition++) {
            if (cluster.committed(partition) != sent.get(partition).size()) {
                return false;
            }
        }
        return !cluster.hasUnfinishedTransactions();
    }

    void check() {
        for (int partition = 0; partition < plan.partitions(); partition++) {
            List<Ending> endings = endings(partition);
            int prompts = sent.get(partition).size();
            int[] counts = new int[prompts];
            for (Ending ending : endings) {
                counts[ending.offset()]++;
                check(ending);
            }
            for (int offset = 0; offset < prompts; offset++) {
                if (counts[offset] != 1) {
                    throw new AssertionError("endings of " + partition + "-" + offset + " "
                            + sent.get(partition).get(offset) + "=" + counts[offset] + ", expected=1");
                }
            }
            Set<Bytes> pending = pending(partition);
            if (!pending.isEmpty()) {
                throw new AssertionError("pending of partition " + partition + "=" + pending.size() + ", expected=0");
            }
        }
    }

    private void check(Ending ending) {
        Prompt prompt = sent.get(ending.partition()).get(ending.offset());
        boolean deserved = ending.name().equals(Prompt.CANCELLED)
                ? commands.mayCancel(ending.partition(), ending.offset(), prompt)
                : prompt.kind().endings().contains(ending.name());
        if (!deserved) {
            throw new AssertionError("ending of " + prompt + "=" + ending + ", expected="
                    + prompt.kind().endings());
        }
        if (ending.name().equals(Prompt.RESULT) && !ending.text().equals(prompt.answer(plan))) {
            throw new AssertionError("answer to " + prompt + "=" + ending + ", expected=" + prompt.answer(plan));
        }
    }

    private List<Ending> endings(int partition) {
        List<Ending> endings = new ArrayList<>();
        for (String topic : List.of(Instance.OUTPUTS.results(), Instance.OUTPUTS.failures())) {
            for (Log.Entry entry : committed(topic, partition)) {
                String[] parts =
                        new String(Objects.requireNonNull(entry.value()), StandardCharsets.UTF_8).split("\\|", 4);
                endings.add(new Ending(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), parts[2], parts[3]));
            }
        }
        for (Log.Entry entry : committed(Instance.OUTPUTS.deadLetters(), partition)) {
            endings.add(new Ending(
                    Integer.parseInt(header(entry, DeadLetterHeaders.PARTITION)),
                    Integer.parseInt(header(entry, DeadLetterHeaders.OFFSET)),
                    Prompt.DEAD_LETTER,
                    ""));
        }
        return endings;
    }

    private static String header(Log.Entry entry, String name) {
        for (Header header : entry.headers()) {
            if (header.key().equals(name)) {
                return new String(header.value(), StandardCharsets.UTF_8);
            }
        }
        throw new AssertionError("header " + name + " absent");
    }

    /** What the changelog compacts to. */
    private Set<Bytes> pending(int partition) {
        Set<Bytes> pending = new TreeSet<>();
        TopicPartition changelog = Task.changelog(partition);
        for (Log.Entry change : committed(changelog.topic(), partition)) {
            Bytes key = Bytes.wrap(change.key());
            if (change.value() == null) {
                pending.remove(key);
            } else {
                pending.add(key);
            }
        }
        return pending;
    }

    private List<Log.Entry> committed(String topic, int partition) {
        Log log = cluster.log(new TopicPartition(topic, partition));
        return log.committed(log.stableEnd());
    }
}
