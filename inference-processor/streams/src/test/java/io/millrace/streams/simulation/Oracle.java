package io.millrace.streams.simulation;

import io.millrace.streams.config.Ordering;
import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.DeadLetterHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
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
            int pending = stored(PendingStore.NAME, partition).size();
            if (pending != 0) {
                throw new AssertionError("pending of partition " + partition + "=" + pending + ", expected=0");
            }
            if (plan.ordering() == Ordering.KEY) {
                Log input = cluster.input(partition);
                OrderRule.check(endings, offset -> input.at(offset).key());
            }
            if (plan.deduplication().isPresent()) {
                new DuplicateRule(plan, sent.get(partition), endings).check(stored(RequestStore.NAME, partition));
            }
        }
    }

    private void check(Ending ending) {
        Prompt prompt = sent.get(ending.partition()).get(ending.offset());
        boolean deserved = switch (ending.name()) {
            case Prompt.CANCELLED -> commands.mayCancel(ending.partition(), ending.offset(), prompt);
            case Prompt.DUPLICATE -> plan.deduplication().isPresent();
            default -> prompt.kind().endings().contains(ending.name());
        };
        if (!deserved) {
            throw new AssertionError("ending of " + prompt + "=" + ending + ", expected="
                    + prompt.kind().endings());
        }
        if (ending.isAnswer() && !ending.text().equals(prompt.answer(plan))) {
            throw new AssertionError("answer to " + prompt + "=" + ending + ", expected=" + prompt.answer(plan));
        }
    }

    private List<Ending> endings(int partition) {
        List<Ending> endings = new ArrayList<>();
        for (String topic : List.of(Instance.OUTPUTS.results(), Instance.OUTPUTS.failures())) {
            for (Log.Entry entry : committed(topic, partition)) {
                String[] parts =
                        new String(Objects.requireNonNull(entry.value()), StandardCharsets.UTF_8).split("\\|", 4);
                endings.add(ending(entry, Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), parts[2], parts[3]));
            }
        }
        for (Log.Entry entry : committed(Instance.OUTPUTS.deadLetters(), partition)) {
            endings.add(ending(
                    entry,
                    Integer.parseInt(header(entry, DeadLetterHeaders.PARTITION)),
                    Integer.parseInt(header(entry, DeadLetterHeaders.OFFSET)),
                    Prompt.DEAD_LETTER,
                    ""));
        }
        return endings;
    }

    /** Its sender knows it by a header of the prompt's. */
    private static Ending ending(Log.Entry entry, int partition, int offset, String name, String text) {
        String mark = header(entry, Prompt.SENDERS_HEADER);
        if (!mark.equals(Commands.place(partition, offset))) {
            throw new AssertionError(
                    "ending of " + partition + "-" + offset + " " + name + " goes to the sender of " + mark);
        }
        return new Ending(partition, offset, name, text, entry.written(), entry.writtenNanos());
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
    private List<byte[]> stored(String store, int partition) {
        Map<Bytes, byte[]> stored = new TreeMap<>();
        TopicPartition changelog = Task.changelog(store, partition);
        for (Log.Entry change : committed(changelog.topic(), partition)) {
            Bytes key = Bytes.wrap(change.key());
            byte[] value = change.value();
            if (value == null) {
                stored.remove(key);
            } else {
                stored.put(key, value);
            }
        }
        return List.copyOf(stored.values());
    }

    private List<Log.Entry> committed(String topic, int partition) {
        Log log = cluster.log(new TopicPartition(topic, partition));
        return log.committed(log.stableEnd());
    }
}
