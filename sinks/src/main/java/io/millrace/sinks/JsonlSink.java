package io.millrace.sinks;

import io.millrace.schemas.serde.RegistryUnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the committed records of topics as JSON lines into rolled files, each record exactly once.
 *
 * <p>The position is in the directory, not in a consumer group: the names of the files and the lines of the open ones tell which
 * offsets are written ({@link SegmentName}), so data and position can never differ. One sink reads all partitions of its topics by
 * manual assignment and locks its directory; new partitions of a topic are found within {@link #TOPICS_CHECK}.
 *
 * <p>Readers take files that end in {@code .jsonl}; these are complete, on disk, and never change. A file that ends in
 * {@code .jsonl.open} is being written. Finished files may be moved away at any time; the open ones hold the position and must stay.
 *
 * <p>While the schema registry is away the sink waits for it; a value that no retry makes readable is written as base64.
 *
 * <p>Threads: {@link #run} by one thread; {@link #stop} by any.
 */
public final class JsonlSink implements AutoCloseable {
    /** How often topics are looked at for new partitions, and for having been recreated. */
    static final Duration TOPICS_CHECK = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(JsonlSink.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration REGISTRY_RETRY = Duration.ofSeconds(2);

    private final JsonlSinkOptions options;
    private final JsonlLine lines;
    private final SinkDirectory directory;
    private final SinkTopics topics;
    private final Consumer<byte[], byte[]> consumer;
    private final Rolling rolling;
    private final Map<TopicPartition, PartitionFiles> files = new LinkedHashMap<>();

    private final CountDownLatch stopping = new CountDownLatch(1);
    private long records;

    private JsonlSink(JsonlSinkOptions options, ValueToJson values, SinkDirectory directory) {
        this.options = options;
        this.lines = new JsonlLine(values);
        this.directory = directory;
        this.topics = new SinkTopics(options);
        this.consumer =
                new KafkaConsumer<>(consumerConfig(options), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.rolling = new Rolling(options.maxBytes(), options.maxAge(), InstantSource.system());
    }

    /**
     * Locks the directory, looks the topics up, repairs what a killed sink left, and is ready to run.
     *
     * @throws SinkException if the directory cannot be written or is in use, or a topic is missing or was recreated
     */
    public static JsonlSink open(JsonlSinkOptions options, ValueToJson values) {
        SinkDirectory directory = SinkDirectory.open(options.directory());
        JsonlSink sink;
        try {
            sink = new JsonlSink(options, values, directory);
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
        try {
            sink.assignAllPartitions();
        } catch (RuntimeException e) {
            sink.close();
            throw e;
        } catch (IOException e) {
            sink.close();
            throw sink.failed(e);
        }
        return sink;
    }

    private static Map<String, Object> consumerConfig(JsonlSinkOptions options) {
        Map<String, Object> config = new HashMap<>(options.kafka());
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        config.remove(ConsumerConfig.GROUP_ID_CONFIG);
        return config;
    }

    /** Gives each partition its files and its place in the consumer; also finds partitions that came since. */
    private void assignAllPartitions() throws IOException {
        boolean changed = false;
        for (TopicDescription topic : topics.describe()) {
            directory.requireSameTopic(topic.name(), topic.topicId());
            for (TopicPartition partition : SinkTopics.partitions(topic)) {
                if (!files.containsKey(partition)) {
                    files.put(
                            partition,
                            PartitionFiles.recover(
                                    directory.storage(),
                                    rolling,
                                    partition,
                                    directory.files(partition),
                                    () -> beginning(partition)));
                    changed = true;
                }
            }
        }
        if (changed) {
            consumer.assign(files.keySet());
            files.forEach((partition, file) -> consumer.seek(partition, file.position()));
            LOG.info("writing {} partitions of {} to {}", files.size(), options.topics(), options.directory());
        }
    }

    private long beginning(TopicPartition partition) {
        return Objects.requireNonNull(
                consumer.beginningOffsets(List.of(partition)).get(partition));
    }

    /**
     * Writes until the end that the options name, or until {@link #stop}; then finishes the open files. After an exception nothing is
     * finished: the next sink on the directory goes on from there.
     *
     * @return records written by this call
     * @throws SinkException if the directory cannot be written, or records were deleted from a topic before they were read
     */
    public long run() {
        try {
            writeAll();
            for (PartitionFiles file : files.values()) {
                file.finish();
            }
            return records;
        } catch (OffsetOutOfRangeException e) {
            throw outOfRange(e);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void writeAll() throws IOException {
        Map<TopicPartition, Long> ends =
                options.end() == JsonlSinkOptions.End.UNTIL_END ? consumer.endOffsets(files.keySet()) : Map.of();
        long checkedNanos = System.nanoTime();
        while (stopping.getCount() > 0 && !hasReached(ends)) {
            write(poll());
            for (PartitionFiles file : files.values()) {
                file.finishIfOld();
            }
            if (System.nanoTime() - checkedNanos > TOPICS_CHECK.toNanos()) {
                assignAllPartitions();
                checkedNanos = System.nanoTime();
            }
        }
    }

    private boolean hasReached(Map<TopicPartition, Long> ends) {
        return options.end() == JsonlSinkOptions.End.UNTIL_END
                && ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private ConsumerRecords<byte[], byte[]> poll() {
        try {
            return consumer.poll(POLL);
        } catch (WakeupException e) {
            return ConsumerRecords.empty(); // stop() was called
        }
    }

    private void write(ConsumerRecords<byte[], byte[]> polled) throws IOException {
        try {
            for (TopicPartition partition : polled.partitions()) {
                write(polled.records(partition), Objects.requireNonNull(files.get(partition)));
            }
        } catch (RegistryUnavailableException e) {
            LOG.warn("reading the same records again in {} s: {}", REGISTRY_RETRY.toSeconds(), e.getMessage());
            files.forEach((partition, file) -> consumer.seek(partition, file.position()));
            awaitStop(REGISTRY_RETRY);
        }
    }

    private void write(List<ConsumerRecord<byte[], byte[]>> polled, PartitionFiles file) throws IOException {
        try {
            for (ConsumerRecord<byte[], byte[]> record : polled) {
                file.append(record.offset(), lines.of(record));
                records++;
            }
        } finally {
            file.force();
        }
    }

    private void awaitStop(Duration atMost) {
        try {
            stopping.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopping.countDown();
        }
    }

    private SinkException outOfRange(OffsetOutOfRangeException e) {
        StringBuilder message = new StringBuilder();
        e.offsetOutOfRangePartitions()
                .forEach((partition, offset) -> message.append("topic=")
                        .append(partition.topic())
                        .append(", partition=")
                        .append(partition.partition())
                        .append(", position=")
                        .append(offset)
                        .append(", expected=")
                        .append(beginning(partition))
                        .append(" to ")
                        .append(consumer.endOffsets(List.of(partition)).get(partition))
                        .append(": records were deleted before this sink read them; ")
                        .append("to go on without them, write to a new directory. "));
        return new SinkException(message.toString().strip(), e);
    }

    private SinkException failed(IOException e) {
        return new SinkException("directory=" + options.directory() + ": " + e, e);
    }

    /** Ends {@link #run} soon; what it has read is written. */
    public void stop() {
        stopping.countDown();
        consumer.wakeup();
    }

    /** Lets go of the directory. It finishes no file: {@link #run} does. */
    @Override
    public void close() {
        try {
            for (PartitionFiles file : files.values()) {
                file.close();
            }
        } catch (IOException e) {
            throw failed(e);
        } finally {
            consumer.close();
            topics.close();
            directory.close();
        }
    }
}
