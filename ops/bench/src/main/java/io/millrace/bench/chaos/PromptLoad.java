package io.millrace.bench.chaos;

import io.millrace.devstack.oracle.Place;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * A steady stream of short prompts from a seed: most with a key, some without, and one in twenty that must fail.
 *
 * <p>Threads: one of its own sends; counts may be read from any.
 */
final class PromptLoad implements AutoCloseable {

    private static final int KEYS = 40;
    private static final List<String> SUBJECTS =
            List.of("rivers", "bread", "the moon", "trains", "glass", "winter", "whales", "paper", "salt", "clocks");

    /** Not JSON, out of range, an unknown model, no input: their own fault. */
    private static final List<String> FAULTY = List.of(
            "this is no JSON",
            "{\"prompt\":\"x\",\"max_tokens\":-3}",
            "{\"prompt\":\"x\",\"model\":\"nobody\"}",
            "{\"request_id\":\"without-input\"}");

    private final KafkaProducer<byte[], byte[]> producer;
    private final Random random;
    private final double rate;
    private final Set<Place> sent = new ConcurrentSkipListSet<>();
    private final Set<Place> atFault = new ConcurrentSkipListSet<>();
    private final AtomicInteger unacknowledged = new AtomicInteger();
    private final Thread thread;
    private volatile boolean closing;

    /** @param rate prompts a second */
    PromptLoad(String bootstrapServers, long seed, double rate) {
        this.random = new Random(seed);
        this.rate = rate;
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers", bootstrapServers,
                        "client.id", "load",
                        "acks", "all",
                        "enable.idempotence", "true",
                        "delivery.timeout.ms", "300000"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        this.thread = Thread.ofPlatform().name("prompt-load").daemon().start(this::send);
    }

    /** Places of the prompts that Kafka has. */
    Set<Place> sent() {
        return sent;
    }

    /** Places of those that must fail. */
    Set<Place> atFault() {
        return atFault;
    }

    /** Prompts of which it is not known whether Kafka has them. */
    int unacknowledged() {
        return unacknowledged.get();
    }

    private void send() {
        long periodNanos = (long) (1e9 / rate);
        long nextNanos = System.nanoTime();
        for (int i = 0; !closing; i++) {
            boolean faulty = random.nextInt(20) == 0;
            byte[] value = utf8(faulty ? FAULTY.get(random.nextInt(FAULTY.size())) : prompt(i));
            byte @Nullable [] key = random.nextInt(4) == 0 ? null : utf8("key-" + random.nextInt(KEYS));
            unacknowledged.incrementAndGet();
            var _ = producer.send(new ProducerRecord<>(AppFiles.PROMPTS, key, value), (metadata, e) -> {
                if (e == null) {
                    var place = new Place(metadata.partition(), metadata.offset());
                    if (faulty) {
                        atFault.add(place);
                    }
                    sent.add(place);
                    unacknowledged.decrementAndGet();
                }
            });
            nextNanos += periodNanos;
            pause(nextNanos - System.nanoTime());
        }
    }

    private String prompt(int number) {
        String subject = SUBJECTS.get(random.nextInt(SUBJECTS.size()));
        int maxTokens = 8 + random.nextInt(41);
        return "{\"request_id\":\"load-%d\",\"prompt\":\"Say something about %s.\",\"max_tokens\":%d,\"seed\":%d,\"tenant\":\"t%d\"}"
                .formatted(number, subject, maxTokens, number, random.nextInt(3));
    }

    private static void pause(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(Math.max(0, nanos));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Sends no more, and waits until Kafka has acknowledged or refused what was sent. */
    @Override
    public void close() {
        closing = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close();
    }
}
