package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.BrokerProcess;
import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The only broker is killed while answers are written, and started again on what it left. */
class BrokerKillTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int QUICK = 200;
    private static final int SLOW = 40;
    private static final int LATE = 40;

    @Test
    @MatrixRow("broker kill -9, restart")
    void shouldAnswerEachPromptOnceThoughTheBrokerIsKilledUnderTraffic(@TempDir Path directory) throws Exception {
        int port = BrokerProcess.freePort();
        BrokerProcess first = BrokerProcess.start(directory, port, Map.of());
        TestKafka kafka = TestKafka.on(first.bootstrapServers());
        TestApp test = TestApp.create(kafka, "broker-kill", 4);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(20), 8).holding(text -> text.startsWith("slow"));
                ProcessorApp app = test.start(engine)) {
            test.send(texts("slow", 4));
            test.send(texts("quick", QUICK));
            test.send(texts("slow", SLOW - 4));
            await().atMost(TIMEOUT).until(() -> test.endings() >= 20);

            first.kill();
            engine.release();
            try (BrokerProcess _ = BrokerProcess.start(directory, port, Map.of())) {
                test.send(texts("late", LATE));
                await().atMost(TIMEOUT).until(() -> test.endings() == QUICK + SLOW + LATE);
                assertThat(app.close(TIMEOUT)).isTrue();

                Verdict verdict = test.oracle().check();
                verdict.assertExactlyOnce();
                assertThat(verdict.failures()).isEmpty();
                assertThat(verdict.results()).hasSize(QUICK + SLOW + LATE);
                kafka.admin().close();
            }
        } finally {
            first.close();
        }
    }

    private static List<String> texts(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + " " + i).toList();
    }
}
