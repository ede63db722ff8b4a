package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.EmbeddedKafka;
import io.millrace.devstack.EmbeddedKafkaOptions;
import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.oracle.Place;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.FailureCode;
import io.millrace.streams.testing.ForkedJvm;
import io.millrace.streams.testing.TestApp;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A prompt on which the whole process dies, as a kernel may: each process that takes over dies of it too, until it is given up. */
@Tag("slow")
class PoisonTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    /** Six recoveries before it runs alone, three strikes then, and as many again for deaths before it was committed. */
    private static final int MOST_DEATHS = 18;

    @Test
    @MatrixRow("native crash by a poison prompt")
    void shouldGiveUpAPromptThatKillsItsProcessAndAnswerItsNeighbours(@TempDir Path directory) throws Exception {
        // short sessions: each process that takes over waits for that of the dead one
        EmbeddedKafkaOptions quick =
                EmbeddedKafkaOptions.temporary().withProperty("group.min.session.timeout.ms", "1000");
        try (EmbeddedKafka broker = EmbeddedKafka.start(quick)) {
            TestKafka kafka = TestKafka.on(broker.bootstrapServers());
            TestApp test = TestApp.create(kafka, "poison", 2);
            List<String> texts = List.of("a", "b", "c", "d", "halt", "f", "g", "h");
            Place poison = new Place(0, 2);
            test.send(texts);

            for (int deaths = 0; test.endings() < texts.size(); deaths++) {
                assertThat(deaths).as("deaths").isLessThanOrEqualTo(MOST_DEATHS);
                try (ForkedJvm worker = ForkedJvm.start(
                        PoisonWorker.class,
                        directory.resolve(deaths + ".log"),
                        List.of(kafka.bootstrapServers(), test.applicationId()))) {
                    await("worker " + deaths + " dies, or all has ended")
                            .atMost(TIMEOUT)
                            .pollInterval(Duration.ofMillis(300))
                            .until(() -> !worker.isAlive() || test.endings() == texts.size());
                }
            }

            Verdict verdict = test.oracle().check();
            assertThat(verdict.violations(List.of(poison))).isEmpty();
            assertThat(verdict.results()).hasSize(texts.size() - 1);
            assertThat(verdict.failures())
                    .singleElement()
                    .satisfies(failure -> assertThat(failure.getCode()).isEqualTo(FailureCode.ENGINE_ERROR));
            kafka.admin().close();
        }
    }
}
