package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.engine.SamplingParameters;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.testing.RegistryStub;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/**
 * What may block for ever does so while another member joins. A stream thread that waited for it would hold up the rebalance, and with
 * it every partition of the group.
 */
@WithKafka
@MatrixRow("one thread blocked while another member joins")
class BlockedThreadTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int PARTITIONS = 4;

    /** Of the application's intake threads: with all of them blocked, nothing of this member gets to its engine. */
    private static final int INTAKE_THREADS = 2;

    @Test
    void shouldJoinAndAnswerThoughEveryIntakeThreadOfAnotherMemberIsBlockedByItsEngine(TestKafka kafka)
            throws Exception {
        TestApp test = TestApp.create(kafka, "blocked-submit", PARTITIONS);
        BlockingEngine stuck = new BlockingEngine();
        Map<String, ServedModel> models = Map.of(TestApp.MODEL, new ServedModel(stuck, SamplingParameters.DEFAULT));
        try (stuck;
                TestEngine engine = TestEngine.immediate();
                ProcessorApp first =
                        ProcessorApp.start(test.settings(), models, ProcessorHooks.of(ProcessorObserver.NONE))) {
            kafka.produce(List.of(test.record(0, TestApp.json("block")), test.record(0, TestApp.json("block"))));
            await().atMost(TIMEOUT).until(() -> stuck.blocked() == INTAKE_THREADS);

            try (ProcessorApp second = test.start(engine)) {
                assertThat(second.awaitRunning(TIMEOUT)).isTrue();
                int each = 10;
                test.send(texts(PARTITIONS * each));
                await("the partitions of the other member flow")
                        .atMost(TIMEOUT)
                        .until(() -> test.endings() >= PARTITIONS / 2 * each);

                stuck.release();
                await().atMost(TIMEOUT).until(() -> test.endings() == 2 + PARTITIONS * each);
                assertThat(second.close(TIMEOUT)).isTrue();
            }
            assertThat(first.close(TIMEOUT)).isTrue();
            assertAllAnswered(test.oracle().check(), 2 + PARTITIONS * 10);
        }
    }

    @Test
    void shouldJoinAndAnswerAllOthersThoughADecoderWaitsForTheRegistry(TestKafka kafka) throws Exception {
        try (RegistryStub registry = RegistryStub.start()) {
            TestApp test =
                    TestApp.create(kafka, "blocked-decode", PARTITIONS).with("schema.registry.url", registry.url());
            AvroPrompts prompts = new AvroPrompts(test, registry.url());
            int hanging = registry.registerAgain(prompts.schemaId());
            registry.hang(hanging);
            try (TestEngine engine = TestEngine.immediate();
                    ProcessorApp first = test.start(engine)) {
                kafka.produce(List.of(prompts.record(0, "waits", hanging)));
                await().atMost(TIMEOUT).until(() -> registry.wasAskedFor(hanging));

                try (ProcessorApp second = test.start(engine)) {
                    assertThat(second.awaitRunning(TIMEOUT)).isTrue();
                    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
                    for (int i = 0; i < 40; i++) {
                        records.add(prompts.record(i % PARTITIONS, "prompt " + i));
                    }
                    kafka.produce(records);
                    await("all others are answered").atMost(TIMEOUT).until(() -> test.endings() == 40);

                    registry.release();
                    await().atMost(TIMEOUT).until(() -> test.endings() == 41);
                    assertThat(second.close(TIMEOUT)).isTrue();
                }
                assertThat(first.close(TIMEOUT)).isTrue();
            }
            assertAllAnswered(
                    test.oracle(Map.of("schema.registry.url", registry.url())).check(), 41);
        }
    }

    private static void assertAllAnswered(Verdict verdict, int prompts) {
        verdict.assertExactlyOnce();
        assertThat(verdict.results()).hasSize(prompts);
    }

    private static List<String> texts(int count) {
        return IntStream.range(0, count).mapToObj(i -> "prompt " + i).toList();
    }
}
