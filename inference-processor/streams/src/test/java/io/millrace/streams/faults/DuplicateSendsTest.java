package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.InferenceResult;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** A producer that is not idempotent sends a prompt again when it is not sure: that is another offset, and another prompt. */
@WithKafka
class DuplicateSendsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    @MatrixRow("duplicate sends")
    void shouldAnswerEachOffsetOnceWhereNoDeduplicationIsAskedFor(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "duplicates", 1);
        ProducerRecord<byte[], byte[]> prompt = test.record(0, "{\"request_id\":\"r1\",\"prompt\":\"hello\"}");
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(prompt, prompt, prompt));
            await().atMost(TIMEOUT).until(() -> test.endings() == 3);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.results()).extracting(InferenceResult::getRequestId).containsOnly("r1");
        assertThat(verdict.results())
                .extracting(result -> result.getSource().getOffset())
                .containsExactlyInAnyOrder(0L, 1L, 2L);
    }
}
