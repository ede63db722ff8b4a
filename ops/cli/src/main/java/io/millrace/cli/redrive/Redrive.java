package io.millrace.cli.redrive;

import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.TopicSettings;
import io.millrace.streams.records.DeadLetterHeaders;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Sends prompts that failed to the prompts topic again, each failure at most once, however often and from wherever it is run.
 *
 * <p>What was redriven is known from the prompts topic itself: a redriven prompt names its failure in the header {@value
 * RedriveHeaders#OF}. It goes to the partition where the prompt stood, so behind it; whoever can still read the prompt can still
 * read all of its redrives, whatever retention or compaction took. So this looks through each partition from the first failed
 * prompt on, and no state is kept beside the topic. Of a dead letter, whose bytes are kept elsewhere, that only holds while the
 * topic reaches back to the prompt; after that it is redriven only on request.
 *
 * <p>Nobody adds to the topic between the look and the sending: the producer's transactional id is fixed, which ends an earlier
 * redrive, its open transaction is aborted, and what it had committed is seen. Each transaction is all or nothing, so a kill
 * leaves nothing half-known.
 *
 * <p>Threads: one.
 */
public final class Redrive {

    /** Failures of one run, about 300 bytes each. */
    static final int MAX_CANDIDATES = 500_000;

    /** Where prompts are taken from. */
    public enum From {
        FAILURES,
        DEAD_LETTERS
    }

    /** Whether prompts are sent or only told. */
    public enum Mode {
        DRY_RUN,
        FOR_REAL
    }

    /** What becomes of dead letters whose prompts the topic does not reach back to: none can tell whether they were redriven. */
    public enum Expired {
        LEFT,
        REDRIVEN
    }

    /**
     * What is asked for.
     *
     * @param limit most prompts to send
     */
    public record Order(From from, Selection selection, Edits edits, long limit, Mode mode, Expired expired) {}

    /**
     * What became of it.
     *
     * @param selected failures that the filters let through
     * @param before of these, redriven by an earlier run
     * @param redriven sent now, or in a dry run: would be
     * @param refused of these, not to be redriven, each reported
     */
    public record Report(long selected, long before, long redriven, long refused) {}

    /** Is told of each. */
    public interface Listener {

        /** It is sent and committed, or in a dry run: would be. */
        void redriven(Candidate candidate);

        /** It cannot be redriven. */
        void refused(Candidate candidate, String why);
    }

    private final Map<String, Object> kafka;
    private final TopicSettings topics;
    private final String transactionalId;
    private final Order order;
    private final Listener listener;
    private final Deserializer<PromptRequest> reader;
    private final Serializer<PromptRequest> writer;
    private long redriven;
    private long refused;

    /** @param transactionalId the application's own, the same in every run */
    public Redrive(
            Map<String, Object> kafka, TopicSettings topics, String transactionalId, Order order, Listener listener) {
        this.kafka = kafka;
        this.topics = topics;
        this.transactionalId = transactionalId;
        this.order = order;
        this.listener = listener;
        this.reader = RecordSerdes.deserializer(PromptRequest.class, kafka);
        this.writer = RecordSerdes.serializer(PromptRequest.class, kafka);
    }

    /**
     * Does it.
     *
     * @throws KafkaException Kafka or the registry fails, or another redrive of the application began; run it again
     * @throws IllegalArgumentException the filters let too much through
     */
    public Report run() {
        try (Admin admin = Admin.create(kafka);
                PartitionScan scan = new PartitionScan(kafka, admin);
                PromptSender sender = order.mode() == Mode.DRY_RUN
                        ? PromptSender.none(this::done)
                        : PromptSender.transactional(kafka, transactionalId, this::done, this::refuse)) {
            List<Candidate> candidates = candidates(scan);
            Map<TopicPartition, List<Candidate>> byPartition = new TreeMap<>(
                    Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
            for (Candidate candidate : candidates) {
                byPartition
                        .computeIfAbsent(candidate.prompt().partition(), _ -> new ArrayList<>())
                        .add(candidate);
            }
            long before = 0;
            for (Map.Entry<TopicPartition, List<Candidate>> partition : byPartition.entrySet()) {
                before += redrive(partition.getKey(), partition.getValue(), scan, sender);
            }
            sender.finish();
            return new Report(candidates.size(), before, redriven, refused);
        }
    }

    private List<Candidate> candidates(PartitionScan scan) {
        List<Candidate> candidates = new ArrayList<>();
        String topic = order.from() == From.FAILURES ? topics.failures() : topics.deadLetters();
        Deserializer<InferenceFailure> failures = RecordSerdes.deserializer(InferenceFailure.class, kafka);
        for (TopicPartition partition : scan.partitions(topic)) {
            scan.read(partition, scan.earliest(partition), record -> {
                Optional<Candidate> candidate =
                        order.from() == From.FAILURES ? failure(record, failures) : deadLetter(record);
                candidate.ifPresent(candidates::add);
                if (candidates.size() > MAX_CANDIDATES) {
                    throw new IllegalArgumentException(topic + ": selected=more than " + MAX_CANDIDATES
                            + ", expected=fewer; narrow it with --since, --until or --code, and run it again");
                }
            });
        }
        return candidates;
    }

    private Optional<Candidate> failure(
            ConsumerRecord<byte[], byte[]> record, Deserializer<InferenceFailure> deserializer) {
        InferenceFailure failure = deserializer.deserialize(record.topic(), record.headers(), record.value());
        if (failure == null || !order.selection().takes(failure)) {
            return Optional.empty();
        }
        Place prompt = new Place(
                new TopicPartition(
                        failure.getSource().getTopic(), failure.getSource().getPartition()),
                failure.getSource().getOffset());
        return Optional.of(new Candidate(
                Place.of(record),
                failure.getCode().name(),
                failure.getRequestId(),
                prompt,
                failure.getSource().getTimestamp(),
                prompt));
    }

    private Optional<Candidate> deadLetter(ConsumerRecord<byte[], byte[]> record) {
        Instant time = Instant.ofEpochMilli(record.timestamp());
        Headers headers = record.headers();
        Optional<String> topic = RedriveHeaders.text(headers, DeadLetterHeaders.TOPIC);
        Optional<String> partition = RedriveHeaders.text(headers, DeadLetterHeaders.PARTITION);
        Optional<String> offset = RedriveHeaders.text(headers, DeadLetterHeaders.OFFSET);
        if (!order.selection().takes(time) || topic.isEmpty() || partition.isEmpty() || offset.isEmpty()) {
            return Optional.empty();
        }
        Place prompt = new Place(
                new TopicPartition(topic.get(), Integer.parseInt(partition.get())), Long.parseLong(offset.get()));
        String code = RedriveHeaders.text(headers, DeadLetterHeaders.EXCEPTION).orElse("");
        return Optional.of(new Candidate(
                Place.of(record),
                code.substring(code.lastIndexOf('.') + 1),
                prompt.toString(),
                prompt,
                time,
                Place.of(record)));
    }

    /** Answers how many were redriven before. */
    private long redrive(
            TopicPartition partition, List<Candidate> candidates, PartitionScan scan, PromptSender sender) {
        if (!partition.topic().equals(topics.prompts())) {
            candidates.forEach(each -> refuse(
                    each,
                    "its prompt stood in topic " + partition.topic() + ", expected=" + topics.prompts()
                            + ", the configuration's prompts topic"));
            return 0;
        }
        long first = candidates.stream()
                .mapToLong(each -> each.prompt().offset())
                .min()
                .orElseThrow();
        Set<String> done = new HashSet<>();
        scan.read(
                partition,
                first,
                record ->
                        RedriveHeaders.text(record.headers(), RedriveHeaders.OF).ifPresent(done::add));
        List<Candidate> left = candidates.stream()
                .filter(each -> !done.contains(each.id().toString()))
                .filter(each -> isKnownNotToBeRedriven(each, scan))
                .sorted(Comparator.comparingLong(each -> each.prompt().offset()))
                .toList();
        byBytes(left).forEach((where, some) -> send(where, some, scan, sender));
        return candidates.stream()
                .filter(each -> done.contains(each.id().toString()))
                .count();
    }

    private boolean isKnownNotToBeRedriven(Candidate candidate, PartitionScan scan) {
        if (order.from() == From.FAILURES || order.expired() == Expired.REDRIVEN) {
            return true; // a failure's prompt that is gone is found so when it is read
        }
        boolean reachesBack = scan.earliest(candidate.prompt().partition())
                <= candidate.prompt().offset() + 1;
        if (!reachesBack) {
            refuse(
                    candidate,
                    "its prompt has expired, and with it the knowledge whether it was redriven;"
                            + " --include-expired redrives it all the same");
        }
        return reachesBack;
    }

    private static Map<TopicPartition, List<Candidate>> byBytes(List<Candidate> candidates) {
        Map<TopicPartition, List<Candidate>> byBytes = new LinkedHashMap<>();
        candidates.forEach(each -> byBytes.computeIfAbsent(each.bytes().partition(), _ -> new ArrayList<>())
                .add(each));
        return byBytes;
    }

    private void send(TopicPartition where, List<Candidate> candidates, PartitionScan scan, PromptSender sender) {
        Map<Long, Candidate> byOffset = new TreeMap<>();
        candidates.forEach(each -> byOffset.put(each.bytes().offset(), each));
        List<Long> offsets = byOffset.keySet().stream()
                .limit(Math.max(0, order.limit() - redriven - sender.waiting()))
                .toList();
        scan.read(where, offsets, (offset, found) -> {
            Candidate candidate = byOffset.get(offset);
            if (candidate != null) {
                found.ifPresentOrElse(
                        record -> send(candidate, record, sender),
                        () -> refuse(candidate, "its prompt is gone from the topic, by retention or compaction"));
            }
        });
    }

    private void send(Candidate candidate, ConsumerRecord<byte[], byte[]> record, PromptSender sender) {
        boolean isPrompt = order.from() == From.FAILURES;
        if (isPrompt
                && record.timestamp() >= 0
                && record.timestamp() != candidate.promptTime().toEpochMilli()) {
            refuse(candidate, "another prompt stands there: the topic was deleted and created again");
            return;
        }
        Headers headers = new RecordHeaders(record.headers());
        byte[] value = record.value();
        if (!order.edits().isEmpty()) {
            try {
                PromptRequest prompt = reader.deserialize(topics.prompts(), headers, value);
                if (prompt == null) {
                    refuse(candidate, "value=absent, expected=a prompt to edit");
                    return;
                }
                value = writer.serialize(
                        topics.prompts(), headers, order.edits().apply(prompt));
            } catch (SerializationException e) {
                refuse(candidate, "cannot be edited: " + e.getMessage());
                return;
            }
        }
        RedriveHeaders.mark(headers, candidate.id());
        int partition = candidate.prompt().partition().partition();
        sender.send(candidate, new ProducerRecord<>(topics.prompts(), partition, null, record.key(), value, headers));
    }

    private void done(Candidate candidate) {
        redriven++;
        listener.redriven(candidate);
    }

    private void refuse(Candidate candidate, String why) {
        refused++;
        listener.refused(candidate, why);
    }
}
