package io.millrace.streams.zombie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.testing.ForkedJvm;
import io.millrace.streams.testing.TestApp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The row of the failure matrix that Kafka Streams alone does not pass: a worker holds only restored prompts and no new
 * input comes, so none of its commits carries an offset; it is stopped between poll and commit, another answers
 * everything, and it goes on.
 */
@WithKafka
class ZombieTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(90);
    private static final int PROMPTS = 12;

    private final Path directory;

    ZombieTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Test
    @MatrixRow("zombie that holds only restored entries, no new input, stopped between poll and commit")
    void shouldAnswerNothingTwiceWhenAReplacedWorkerGoesOn(TestKafka kafka) throws Exception {
        Verdict verdict = runZombie(TestApp.create(kafka, "zombie", 1), Fencing.FENCED);

        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
        assertThat(verdict.results()).hasSize(PROMPTS);
    }

    /** Shows that the test can tell, and that the fence is what it takes. */
    @Test
    @MatrixRow("zombie that holds only restored entries, no new input, stopped between poll and commit")
    void shouldAnswerTwiceWithoutTheFence(TestKafka kafka) throws Exception {
        Verdict verdict = runZombie(TestApp.create(kafka, "unfenced", 1), Fencing.UNFENCED);

        assertThat(verdict.doubled()).isNotEmpty();
    }

    private Verdict runZombie(TestApp test, Fencing fencing) throws Exception {
        test.send(IntStream.range(0, PROMPTS).mapToObj(i -> "prompt " + i).toList());
        try (ForkedJvm first = worker(test, "a", fencing)) {
            await().atMost(TIMEOUT).until(() -> exists("a.running") && allCommitted(test));
            first.kill();
        }
        try (ForkedJvm zombie = worker(test, "b", fencing)) {
            await().atMost(TIMEOUT).until(() -> exists("b.running"));
            Files.createFile(directory.resolve("b.stop"));
            Files.createFile(directory.resolve("b.release"));
            await().atMost(TIMEOUT).until(() -> exists("b.stopped"));

            try (ForkedJvm successor = worker(test, "c", fencing)) {
                Files.createFile(directory.resolve("c.release"));
                await().atMost(TIMEOUT)
                        .pollInterval(Duration.ofMillis(300))
                        .until(() -> test.committed(test.outputs().results()) == PROMPTS);

                zombie.cont();
                awaitRejoined(test, fencing);
                assertThat(successor.isAlive()).isTrue();
            }
        }
        return test.oracle().check();
    }

    /** The zombie has committed, or was refused and came back: either way it is a member of the group again. */
    private static void awaitRejoined(TestApp test, Fencing fencing) {
        await("two members, " + fencing)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(300))
                .until(() -> {
                    var group = test.kafka()
                            .admin()
                            .describeConsumerGroups(List.of(test.applicationId()))
                            .all()
                            .get();
                    return group.values().iterator().next().members().size() == 2;
                });
    }

    private static boolean allCommitted(TestApp test) {
        Map<TopicPartition, Long> committed = test.kafka().committedOffsets(test.applicationId());
        return committed.getOrDefault(new TopicPartition(test.prompts(), 0), 0L) == PROMPTS;
    }

    private boolean exists(String name) {
        return Files.exists(directory.resolve(name));
    }

    private ForkedJvm worker(TestApp test, String name, Fencing fencing) throws IOException {
        return ForkedJvm.start(
                Worker.class,
                directory.resolve(name + ".log"),
                List.of(
                        test.kafka().bootstrapServers(),
                        test.applicationId(),
                        directory.toString(),
                        name,
                        Integer.toString(PROMPTS),
                        fencing.name()));
    }
}
