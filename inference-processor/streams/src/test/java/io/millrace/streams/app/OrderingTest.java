package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Results of one record key in order, on a real broker. */
@WithKafka
class OrderingTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int PARTITIONS = 2;
    private static final int KEYS = 5;

    @Test
    void shouldAnswerEachKeyInOrderWhateverTheEnginesOrderIsAndWhoeverOwnsIt(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "ordering", PARTITIONS)
                .with(Ordering.KEY)
                // as if each owner were another process
                .withOrphanGrace(Duration.ZERO);
        int prompts = 120;
        try (TestEngine engine = TestEngine.shuffled(Duration.ofMillis(20), 42)) {
            ProcessorApp first = test.start(engine);
            send(test, 0, prompts / 2);
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) > 5);
            ProcessorApp second = test.start(engine);
            assertThat(second.awaitRunning(TIMEOUT)).isTrue();
            first.close();
            send(test, prompts / 2, prompts);
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == prompts);
            assertThat(second.close(TIMEOUT)).isTrue();
        }
        test.oracle().check().assertExactlyOnce();
        offsetsByKey(test)
                .forEach(
                        (key, offsets) -> assertThat(offsets).as(key).isSorted().hasSize(prompts / PARTITIONS / KEYS));
    }

    @Test
    void shouldHoldBackTheOneKeyAndNoOther(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "other-keys", 1).with(Ordering.KEY);
        try (TestEngine engine = TestEngine.immediate().holding(text -> text.equals("slow"));
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(
                    record(test, 0, "a", "slow"),
                    record(test, 0, "a", "a2"),
                    record(test, 0, "b", "b1"),
                    record(test, 0, null, "no key 1"),
                    record(test, 0, "b", "b2"),
                    record(test, 0, null, "no key 2")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 4);
            assertThat(engine.submitted().stream().map(TestEngine::text)).doesNotContain("a2");

            engine.release();

            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 6);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        test.oracle().check().assertExactlyOnce();
        assertThat(offsetsByKey(test)).containsEntry("0-a", List.of(0L, 1L)).containsEntry("0-b", List.of(2L, 4L));
    }

    private static void send(TestApp test, int from, int to) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = from; i < to; i++) {
            records.add(record(test, i % PARTITIONS, "key-" + i / PARTITIONS % KEYS, "prompt " + i));
        }
        test.kafka().produce(records);
    }

    private static ProducerRecord<byte[], byte[]> record(
            TestApp test, int partition, @Nullable String key, String text) {
        return new ProducerRecord<>(
                test.prompts(), partition, key == null ? null : utf8(key), utf8(TestApp.json(text)));
    }

    /** Offsets of the prompts, in the order of their results, by partition and key. */
    private static Map<String, List<Long>> offsetsByKey(TestApp test) {
        var deserializer = RecordSerdes.deserializer(InferenceResult.class, Map.of());
        Map<String, List<Long>> offsets = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> record :
                test.kafka().readCommitted(test.outputs().results())) {
            InferenceResult result = deserializer.deserialize(record.topic(), record.headers(), record.value());
            String key = record.partition() + "-"
                    + (record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8));
            offsets.computeIfAbsent(key, made -> new ArrayList<>())
                    .add(result.getSource().getOffset());
        }
        return offsets;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
