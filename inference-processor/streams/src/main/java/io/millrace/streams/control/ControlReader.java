package io.millrace.streams.control;

import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.serde.RegistryUnavailableException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the control topic from its beginning into {@link Controls}, then follows it. Without a group: every instance
 * reads all of it. The partitions are those at the start. A record that makes no command is logged with its place and
 * skipped; a broker or registry that does not answer is tried for ever.
 *
 * <p>Threads: one of its own, which alone uses the consumer but for {@link #close}.
 */
public final class ControlReader implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControlReader.class);

    private static final Duration POLL_AT_START = Duration.ofMillis(100);
    private static final Duration POLL = Duration.ofSeconds(5);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    /** It commits nothing, and its fetch that waits for commands would hold it up. */
    private static final Duration CONSUMER_CLOSE = Duration.ZERO;

    private static final Duration THREAD_END = Duration.ofSeconds(2);

    /** Told what was read, once it holds. Called on the reader's thread. */
    public interface Listener {

        /** A command is in force. */
        void applied(ControlCommand command);

        /** The topic has forgotten a command: a record without a value. */
        void forgotten();

        /** A record makes no command. */
        void skipped();
    }

    private final Consumer<byte[], byte[]> consumer;
    private final String topic;
    private final Deserializer<ControlCommand> deserializer;
    private final Controls controls;
    private final Listener listener;
    private final Thread thread = new Thread(this::run, "millrace-control");
    private final CountDownLatch caughtUp = new CountDownLatch(1);
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile @Nullable String trouble;

    private sealed interface Decoded {
        record Command(ControlCommand command) implements Decoded {}

        record Nothing(String why) implements Decoded {}
    }

    /** Ends the thread. */
    private static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** @param consumer without a group, {@code read_committed}; closed by this reader */
    public ControlReader(
            Consumer<byte[], byte[]> consumer,
            String topic,
            Deserializer<ControlCommand> deserializer,
            Controls controls,
            Listener listener) {
        this.consumer = consumer;
        this.topic = topic;
        this.deserializer = deserializer;
        this.controls = controls;
        this.listener = listener;
        thread.setDaemon(true);
    }

    /** Begins to read. Call once. */
    public void start() {
        thread.start();
    }

    /** Waits until all that was in the topic at the start holds; answers whether it does. */
    public boolean awaitCaughtUp(Duration timeout) throws InterruptedException {
        return caughtUp.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What is tried again at the moment; empty while all goes well. */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private void run() {
        try {
            Map<TopicPartition, Long> ends = retried("look up", this::assign);
            while (!retried("read", () -> hasReached(ends))) {
                poll(POLL_AT_START);
            }
            caughtUp.countDown();
            while (!isClosing()) {
                poll(POLL);
            }
        } catch (Closed e) {
            LOG.debug("closed");
        } finally {
            consumer.close(CloseOptions.timeout(CONSUMER_CLOSE));
        }
    }

    /** From the beginning; answers where it ended at this moment. */
    private Map<TopicPartition, Long> assign() {
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
        if (partitions.isEmpty()) {
            throw new KafkaException("topic " + topic + " does not exist");
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer.endOffsets(partitions);
    }

    private boolean hasReached(Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private void poll(Duration timeout) {
        for (ConsumerRecord<byte[], byte[]> record : retried("read", () -> consumer.poll(timeout))) {
            read(record);
        }
    }

    private void read(ConsumerRecord<byte[], byte[]> record) {
        byte[] value = record.value();
        if (value == null) {
            byte[] key = record.key();
            if (key != null) {
                controls.forget(new String(key, StandardCharsets.UTF_8));
            }
            listener.forgotten();
            return;
        }
        Decoded decoded = retried("decode", () -> decode(record, value));
        switch (decoded) {
            case Decoded.Command(ControlCommand command) -> apply(record, command);
            case Decoded.Nothing(String why) -> skip(record, why);
        }
    }

    /** A registry that does not answer throws; bytes that make no command are an answer. */
    private Decoded decode(ConsumerRecord<byte[], byte[]> record, byte[] value) {
        try {
            return new Decoded.Command(deserializer.deserialize(topic, record.headers(), value));
        } catch (RegistryUnavailableException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError e) {
            return new Decoded.Nothing(String.valueOf(e.getMessage()));
        }
    }

    private void apply(ConsumerRecord<byte[], byte[]> record, ControlCommand command) {
        Optional<String> complaint = controls.apply(command);
        if (complaint.isPresent()) {
            skip(record, complaint.get());
            return;
        }
        LOG.info(
                "{} {}={} is in force, command_id={}",
                command.getAction(),
                command.getScope(),
                command.getTarget(),
                command.getCommandId());
        listener.applied(command);
    }

    private void skip(ConsumerRecord<byte[], byte[]> record, String why) {
        LOG.warn("control record {}-{}-{} skipped: {}", topic, record.partition(), record.offset(), why);
        listener.skipped();
    }

    /** Tries until it succeeds. Says so once, not at each attempt. */
    private <T> T retried(String what, Supplier<T> attempt) {
        while (true) {
            try {
                T result = attempt.get();
                if (trouble != null) {
                    LOG.info("control topic {}: goes on", topic);
                    trouble = null;
                }
                return result;
            } catch (WakeupException e) {
                throw new Closed();
            } catch (RuntimeException e) {
                if (trouble == null) {
                    LOG.warn("control topic {}: cannot {}, tried again until it works: {}", topic, what, e.toString());
                }
                trouble = "cannot " + what + ": " + e;
            }
            pause();
        }
    }

    private void pause() {
        try {
            if (closing.await(RETRY_PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new Closed();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Closed();
        }
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    /** Stops reading. Idempotent; waits a little for the consumer to close. */
    @Override
    public void close() {
        closing.countDown();
        consumer.wakeup();
        try {
            thread.join(THREAD_END);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
