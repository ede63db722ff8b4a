package io.millrace.ingest;

import io.millrace.devstack.TestKafka;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.Source;
import io.millrace.schemas.Timings;
import io.millrace.schemas.Usage;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.Deserializer;

/** Answers the prompts of a topic as a test says, in transactions, with the prompts' keys and headers. */
final class StubProcessor implements AutoCloseable {

    /** A prompt as it stands in its topic. */
    record Received(ConsumerRecord<byte[], byte[]> record, PromptRequest request) {
        String header(String name) {
            return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
        }
    }

    private final PromptClientOptions options;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Deserializer<PromptRequest> prompts;
    private final Queue<Received> received = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean closed;

    private StubProcessor(
            TestKafka kafka,
            PromptClientOptions options,
            Function<Received, List<ProducerRecord<byte[], byte[]>>> replies) {
        this.options = options;
        this.prompts = RecordSerdes.deserializer(PromptRequest.class, options.kafka());
        this.consumer = kafka.consumer(Map.of());
        this.producer = kafka.producer(Map.of("transactional.id", TestKafka.uniqueName("stub")));
        this.thread = Thread.ofPlatform().daemon().name("stub-processor").unstarted(() -> run(replies));
    }

    /** Starts to answer what is in the topic and what comes. */
    static StubProcessor start(
            TestKafka kafka,
            PromptClientOptions options,
            Function<Received, List<ProducerRecord<byte[], byte[]>>> replies) {
        StubProcessor processor = new StubProcessor(kafka, options, replies);
        processor.thread.start();
        return processor;
    }

    /** Answers each prompt with itself. */
    static StubProcessor echo(TestKafka kafka, PromptClientOptions options) {
        return start(
                kafka,
                options,
                received -> List.of(result(options, received, received.request().getPrompt())));
    }

    /** What has come, in the order of each partition. */
    List<Received> received() {
        return List.copyOf(received);
    }

    private void run(Function<Received, List<ProducerRecord<byte[], byte[]>>> replies) {
        try (consumer;
                producer) {
            var partitions = consumer.partitionsFor(options.topics().prompts()).stream()
                    .map(each -> new org.apache.kafka.common.TopicPartition(each.topic(), each.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            producer.initTransactions();
            while (!closed) {
                answer(consumer.poll(Duration.ofMillis(50)), replies);
            }
        }
    }

    private void answer(
            Iterable<ConsumerRecord<byte[], byte[]>> records,
            Function<Received, List<ProducerRecord<byte[], byte[]>>> replies) {
        boolean begun = false;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (!begun) {
                producer.beginTransaction();
                begun = true;
            }
            Received prompt =
                    new Received(record, prompts.deserialize(record.topic(), record.headers(), record.value()));
            received.add(prompt);
            for (ProducerRecord<byte[], byte[]> reply : replies.apply(prompt)) {
                Future<RecordMetadata> _ = producer.send(reply);
            }
        }
        if (begun) {
            producer.commitTransaction();
        }
    }

    static ProducerRecord<byte[], byte[]> result(PromptClientOptions options, Received to, String text) {
        InferenceResult result = InferenceResult.newBuilder()
                .setRequestId(to.request().getRequestId())
                .setModel("stub")
                .setOperation(to.request().getOperation())
                .setText(text)
                .setFinishReason("stop")
                .setUsage(new Usage(1, 0, 1))
                .setTimings(new Timings(0.0, 0.0, 0.0, 0.0, 0.0))
                .setSource(source(to))
                .build();
        String topic = options.topics().results();
        byte[] value =
                RecordSerdes.serializer(InferenceResult.class, options.kafka()).serialize(topic, result);
        return record(topic, to, value);
    }

    static ProducerRecord<byte[], byte[]> failure(PromptClientOptions options, Received to, String message) {
        InferenceFailure failure = InferenceFailure.newBuilder()
                .setRequestId(to.request().getRequestId())
                .setCode(FailureCode.INVALID_REQUEST)
                .setMessage(message)
                .setRetriable(false)
                .setFailedAt(Instant.EPOCH)
                .setSource(source(to))
                .build();
        String topic = options.topics().failures();
        byte[] value =
                RecordSerdes.serializer(InferenceFailure.class, options.kafka()).serialize(topic, failure);
        return record(topic, to, value);
    }

    static ProducerRecord<byte[], byte[]> deadLetter(PromptClientOptions options, Received to, String reason) {
        ProducerRecord<byte[], byte[]> letter =
                record(options.topics().deadLetters(), to, to.record().value());
        letter.headers().add("__streams.errors.message", reason.getBytes(StandardCharsets.UTF_8));
        return letter;
    }

    /** With the prompt's key and headers, as the processor does. */
    static ProducerRecord<byte[], byte[]> record(String topic, Received to, byte[] value) {
        return new ProducerRecord<>(
                topic, null, to.record().key(), value, to.record().headers());
    }

    private static Source source(Received to) {
        return new Source(
                to.record().topic(),
                to.record().partition(),
                to.record().offset(),
                Instant.ofEpochMilli(to.record().timestamp()));
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(TestKafka.TIMEOUT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
