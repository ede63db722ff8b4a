package io.millrace.bench.chaos;

import io.millrace.devstack.TopicReader;
import io.millrace.devstack.oracle.Place;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Follows the endings as a read_committed consumer. Each answer and failure has a metrics record in its transaction; a dead letter
 * stands for itself.
 *
 * <p>Threads: one of its own reads.
 */
final class EndingTail implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(100);

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Deserializer<InferenceMetrics> deserializer =
            RecordSerdes.deserializer(InferenceMetrics.class, Map.of());
    private final Consumer<Ending> listener;
    private final Set<Place> ended = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private volatile boolean closing;

    EndingTail(TopicReader kafka, Consumer<Ending> listener) {
        this.listener = listener;
        this.consumer = kafka.consumer(Map.of());
        List<TopicPartition> partitions = new ArrayList<>(kafka.partitions(AppFiles.METRICS));
        partitions.addAll(kafka.partitions(AppFiles.DEAD_LETTERS));
        consumer.assign(partitions);
        thread = Thread.ofPlatform().name("ending-tail").daemon().start(this::follow);
    }

    /** Prompts that have ended. */
    int ended() {
        return ended.size();
    }

    /**
     * Waits until so many have ended; tells whether they have, or nothing ended for a while.
     *
     * @param looking is run between looks
     */
    boolean awaitEnded(int prompts, Duration patience, Runnable looking) throws InterruptedException {
        int before = ended();
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        while (ended() < prompts) {
            if (ended() > before) {
                before = ended();
                deadlineNanos = System.nanoTime() + patience.toNanos();
            }
            if (System.nanoTime() > deadlineNanos) {
                return false;
            }
            looking.run();
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
        return true;
    }

    private void follow() {
        while (!closing) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                Ending ending = record.topic().equals(AppFiles.METRICS) ? ofMetrics(record) : ofDeadLetter(record);
                ended.add(new Place(ending.partition(), ending.offset()));
                listener.accept(ending);
            }
        }
        consumer.close();
    }

    private Ending ofMetrics(ConsumerRecord<byte[], byte[]> record) {
        InferenceMetrics metrics = deserializer.deserialize(record.topic(), record.headers(), record.value());
        return new Ending(
                metrics.getSource().getPartition(),
                metrics.getSource().getOffset(),
                metrics.getCompletedAt().toEpochMilli(),
                System.currentTimeMillis(),
                Optional.of(metrics.getInstance()));
    }

    private static Ending ofDeadLetter(ConsumerRecord<byte[], byte[]> record) {
        return new Ending(
                Integer.parseInt(header(record, "__streams.errors.partition")),
                Long.parseLong(header(record, "__streams.errors.offset")),
                record.timestamp(),
                System.currentTimeMillis(),
                Optional.empty());
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(
                Objects.requireNonNull(record.headers().lastHeader(name), name).value(), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        deserializer.close();
    }
}
