package io.millrace.cli.redrive;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Sends prompts in transactions of at most {@value #MAX_RECORDS} records or {@value #MAX_BYTES} bytes. Threads: one. */
final class PromptSender implements AutoCloseable {

    private static final int MAX_RECORDS = 500;
    private static final long MAX_BYTES = 16L << 20;

    /** The topic says what is too large, not the producer. */
    private static final int MAX_REQUEST_BYTES = 256 << 20;

    private record Waiting(Candidate candidate, ProducerRecord<byte[], byte[]> record) {}

    private final @Nullable Producer<byte[], byte[]> producer;
    private final Consumer<Candidate> onCommitted;
    private final BiConsumer<Candidate, String> onRefused;
    private final List<Waiting> waiting = new ArrayList<>();
    private long waitingBytes;

    private PromptSender(
            @Nullable Producer<byte[], byte[]> producer,
            Consumer<Candidate> onCommitted,
            BiConsumer<Candidate, String> onRefused) {
        this.producer = producer;
        this.onCommitted = onCommitted;
        this.onRefused = onRefused;
    }

    /** Sends nothing and reports all as sent. */
    static PromptSender none(Consumer<Candidate> onCommitted) {
        return new PromptSender(null, onCommitted, (candidate, why) -> {});
    }

    /** Ends whoever has the transactional id: from here on nobody else sends under it. */
    static PromptSender transactional(
            Map<String, Object> kafka,
            String transactionalId,
            Consumer<Candidate> onCommitted,
            BiConsumer<Candidate, String> onRefused) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_BYTES);
        properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 2L * MAX_REQUEST_BYTES);
        properties.putIfAbsent(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 5);
        Producer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        try {
            producer.initTransactions();
        } catch (RuntimeException e) {
            producer.close(Duration.ZERO);
            throw e;
        }
        return new PromptSender(producer, onCommitted, onRefused);
    }

    /** Prompts that are not committed yet. */
    int waiting() {
        return waiting.size();
    }

    void send(Candidate candidate, ProducerRecord<byte[], byte[]> record) {
        byte[] value = record.value();
        waiting.add(new Waiting(candidate, record));
        waitingBytes += value == null ? 0 : value.length;
        if (waiting.size() >= MAX_RECORDS || waitingBytes >= MAX_BYTES) {
            finish();
        }
    }

    /** Commits what waits. */
    void finish() {
        List<Waiting> batch = List.copyOf(waiting);
        waiting.clear();
        waitingBytes = 0;
        if (!batch.isEmpty()) {
            commit(batch);
        }
    }

    /** One transaction; where one of several is too large, one for each. */
    private void commit(List<Waiting> batch) {
        Producer<byte[], byte[]> to = producer;
        if (to != null) {
            try {
                to.beginTransaction();
                for (Waiting each : batch) {
                    Future<RecordMetadata> _ = to.send(each.record()); // the commit throws what it throws
                }
                to.commitTransaction();
            } catch (ProducerFencedException | InvalidProducerEpochException e) {
                throw new KafkaException(
                        "another redrive of this application began, and goes on with what is left; run this one again",
                        e);
            } catch (KafkaException e) {
                to.abortTransaction();
                if (!isTooLarge(e)) {
                    throw e;
                }
                retrySingly(batch, e);
                return;
            }
        }
        batch.forEach(each -> onCommitted.accept(each.candidate()));
    }

    private void retrySingly(List<Waiting> batch, KafkaException e) {
        if (batch.size() == 1) {
            onRefused.accept(batch.getFirst().candidate(), "too large for the topic: " + e.getMessage());
        } else {
            batch.forEach(each -> commit(List.of(each)));
        }
    }

    private static boolean isTooLarge(Throwable e) {
        return e instanceof RecordTooLargeException || (e.getCause() != null && isTooLarge(e.getCause()));
    }

    @Override
    public void close() {
        if (producer != null) {
            producer.close(Duration.ofSeconds(5));
        }
    }
}
