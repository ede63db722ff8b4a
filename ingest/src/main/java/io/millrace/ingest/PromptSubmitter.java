package io.millrace.ingest;

import io.millrace.schemas.PromptRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Sends prompts to their topic with an idempotent producer: a prompt that was acknowledged is there once, whatever was
 * retried. The record's key is the {@code request_id}; prompts without one take the partitions in turn.
 *
 * <p>Threads: one thread calls; the producer's thread reports. At most {@value #MAX_IN_FLIGHT} prompts are sent and not
 * acknowledged, beside Kafka's own bound in bytes ({@code buffer.memory}); {@link #submit} waits for room.
 */
public final class PromptSubmitter implements AutoCloseable {

    /** Enough to fill the producer's batches; memory in use stays a few prompts' worth of bookkeeping. */
    static final int MAX_IN_FLIGHT = 1_000;

    /**
     * What became of what was submitted.
     *
     * @param acknowledged prompts that Kafka has
     * @param failed prompts that it has not, each reported
     */
    public record Summary(long acknowledged, long failed) {}

    private final Producer<byte[], byte[]> producer;
    private final Serializer<PromptRequest> serializer;
    private final String topic;
    private final BiConsumer<Long, Exception> onFailure;
    private final Semaphore room = new Semaphore(MAX_IN_FLIGHT);
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private long turn;

    /**
     * Uses a producer that the caller has made; it is closed with this.
     *
     * @param onFailure gets a line number and what kept its prompt from the topic, on the producer's thread
     */
    public PromptSubmitter(
            Producer<byte[], byte[]> producer,
            Serializer<PromptRequest> serializer,
            String topic,
            BiConsumer<Long, Exception> onFailure) {
        this.producer = producer;
        this.serializer = serializer;
        this.topic = topic;
        this.onFailure = onFailure;
    }

    /**
     * A producer that neither loses nor doubles what it acknowledges.
     *
     * @param kafka Kafka's properties by their names
     */
    public static Producer<byte[], byte[]> idempotentProducer(Map<String, ?> kafka) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 5);
        properties.putIfAbsent(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /**
     * Sends one prompt, waiting while too many are in flight. A prompt that cannot be sent is reported, not thrown.
     *
     * @param line the prompt's line number, for the report
     * @throws TimeoutException if the topic cannot be reached in {@code max.block.ms}
     */
    public void submit(long line, PromptRequest request) throws InterruptedException {
        int partitions = producer.partitionsFor(topic).size();
        room.acquire();
        try {
            Future<RecordMetadata> _ =
                    producer.send(record(request, partitions), (metadata, e) -> acknowledge(line, e));
        } catch (RuntimeException e) {
            acknowledge(line, e);
        }
    }

    private ProducerRecord<byte[], byte[]> record(PromptRequest request, int partitions) {
        byte[] value = serializer.serialize(topic, request);
        String id = request.getRequestId();
        return id == null
                ? new ProducerRecord<>(topic, (int) (turn++ % partitions), null, value)
                : new ProducerRecord<>(topic, id.getBytes(StandardCharsets.UTF_8), value);
    }

    private void acknowledge(long line, @Nullable Exception e) {
        try {
            if (e == null) {
                acknowledged.incrementAndGet();
            } else {
                failed.incrementAndGet();
                onFailure.accept(line, e);
            }
        } finally {
            room.release();
        }
    }

    /** Waits until all that was submitted is acknowledged or has failed. */
    public Summary finish() throws InterruptedException {
        producer.flush();
        room.acquire(MAX_IN_FLIGHT);
        room.release(MAX_IN_FLIGHT);
        return new Summary(acknowledged.get(), failed.get());
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
