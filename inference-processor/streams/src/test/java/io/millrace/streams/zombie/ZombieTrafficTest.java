package io.millrace.streams.zombie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.engine.InferenceEngine;
import io.millrace.remote.RemoteEngine;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.testing.ChatServer;
import io.millrace.streams.testing.ForkedJvm;
import io.millrace.streams.testing.RemoteEngines;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.MemberDescription;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A worker is stopped for longer than its session while prompts come and go, another one answers what it held, and it goes on. */
@WithKafka
class ZombieTrafficTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(90);
    private static final int PARTITIONS = 4;
    private static final int WAVE = 40;

    private final Path directory;
    private int sent;

    ZombieTrafficTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Test
    @MatrixRow("zombie under traffic")
    void shouldAnswerNothingTwiceWhenAStoppedWorkerGoesOnUnderTraffic(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "zombie-traffic", PARTITIONS);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(2))) {
            runZombie(test, engine, workerArguments(test));
        }
    }

    @Test
    @MatrixRow("zombie under traffic")
    void shouldAnswerNothingTwiceWithARemoteModel(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "zombie-traffic-remote", PARTITIONS);
        Path release = directory.resolve("zombie.release");
        try (ChatServer server = ChatServer.start().holding(who -> who.equals("zombie") && !Files.exists(release));
                RemoteEngine engine = RemoteEngines.open(server.url("successor"))) {
            List<String> arguments = new ArrayList<>(workerArguments(test));
            arguments.add(server.url("zombie").toString());
            runZombie(test, engine, arguments);
        }
    }

    private void runZombie(TestApp test, InferenceEngine engine, List<String> workerArguments) throws Exception {
        try (ProcessorApp successor = test.start(engine);
                ForkedJvm zombie = ForkedJvm.start(Worker.class, directory.resolve("zombie.log"), workerArguments)) {
            // it holds all that comes to it, so it has work in its engine when it is stopped
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(300)).until(() -> {
                send(test);
                return Files.exists(directory.resolve("zombie.running"));
            });
            Set<String> before = members(test);
            assertThat(before).hasSize(2);

            zombie.stop();
            await("the other one answers all, new prompts too")
                    .atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> {
                        if (members(test).size() == 2) {
                            send(test);
                        }
                        return test.endings() == sent;
                    });

            // its engine answers all that it held, while it still believes that the partitions are its own
            Files.createFile(directory.resolve("zombie.release"));
            zombie.cont();
            await("it was put out and came back").atMost(TIMEOUT).until(() -> {
                Set<String> now = members(test);
                return now.size() == 2 && !now.equals(before);
            });
            send(test);
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(300)).until(() -> test.endings() == sent);
            assertThat(zombie.isAlive()).isTrue();
            assertThat(successor.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
        assertThat(verdict.results()).hasSize(sent);
    }

    private void send(TestApp test) {
        test.send(
                IntStream.range(sent, sent + WAVE).mapToObj(i -> "prompt " + i).toList());
        sent += WAVE;
    }

    private static Set<String> members(TestApp test) throws Exception {
        return test
                .kafka()
                .admin()
                .describeConsumerGroups(List.of(test.applicationId()))
                .all()
                .get()
                .values()
                .iterator()
                .next()
                .members()
                .stream()
                .map(MemberDescription::consumerId)
                .collect(Collectors.toSet());
    }

    private List<String> workerArguments(TestApp test) {
        return List.of(
                test.kafka().bootstrapServers(),
                test.applicationId(),
                directory.toString(),
                "zombie",
                "1",
                Fencing.FENCED.name());
    }
}
