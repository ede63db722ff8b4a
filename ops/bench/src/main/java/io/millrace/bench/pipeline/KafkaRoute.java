package io.millrace.bench.pipeline;

import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Through Kafka: prompts are produced to a topic, and a read_committed consumer waits for their endings, whoever answers.
 *
 * <p>Threads: one of its own reads; the measuring thread sends and closes.
 */
final class KafkaRoute implements Route {

    private static final Duration POLL = Duration.ofMillis(100);

    /** Of a record that holds no result, where the prompt itself is read back. */
    private static final Endings.Answer NO_ANSWER = new Endings.Answer("", 0);

    /** What records say. */
    enum Contents {
        /** Results, failures and dead letters. */
        ENDINGS,
        /** The prompts themselves. */
        PROMPTS
    }

    private final BenchKafka kafka;
    private final String prompts;
    private final Endings endings;
    private final Contents contents;
    private final Deserializer<InferenceResult> results;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread reader;
    private volatile boolean open = true;

    /**
     * @param from topics that the endings come to; the first is that of the results
     */
    KafkaRoute(BenchKafka kafka, String prompts, List<String> from, Contents contents, Endings endings) {
        this.kafka = kafka;
        this.prompts = prompts;
        this.endings = endings;
        this.contents = contents;
        this.results = RecordSerdes.deserializer(InferenceResult.class, Map.copyOf(kafka.properties()));
        this.consumer = kafka.reader(from);
        this.reader = Thread.ofPlatform().name("bench-reader").daemon().start(() -> read(from.getFirst()));
    }

    @Override
    public void send(Prompt prompt) {
        kafka.send(prompts, prompt, endings);
    }

    private void read(String resultsTopic) {
        try (consumer) {
            while (open) {
                var records = consumer.poll(POLL);
                long now = System.nanoTime();
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    take(resultsTopic, record, now);
                }
            }
        } catch (RuntimeException e) {
            endings.failed("endings cannot be read: " + e);
        }
    }

    private void take(String resultsTopic, ConsumerRecord<byte[], byte[]> record, long now) {
        if (!record.topic().equals(resultsTopic)) {
            String what = new String(record.value(), StandardCharsets.UTF_8); // JSON, as no registry is configured
            endings.failed("a record in " + record.topic() + ", expected=results only: " + what);
            return;
        }
        endings.ended(Prompt.indexOf(record.key()), now, contents == Contents.PROMPTS ? NO_ANSWER : answer(record));
    }

    private Endings.Answer answer(ConsumerRecord<byte[], byte[]> record) {
        InferenceResult result = results.deserialize(record.topic(), record.headers(), record.value());
        String text = result.getText();
        return new Endings.Answer(text == null ? "" : text, result.getTimings().getTotalMs());
    }

    @Override
    public void close() {
        open = false;
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
