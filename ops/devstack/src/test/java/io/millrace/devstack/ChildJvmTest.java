package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildJvmTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    @TempDir
    Path folder;

    @Test
    void shouldEndWithAnOwnerThatIsKilledEvenWhileItIsStopped() throws Exception {
        Path pids = folder.resolve("pids");
        try (ChildJvm owner = start("owner", Owner.class, folder, pids.toString())) {
            await().atMost(TIMEOUT).until(() -> Files.exists(pids));
            List<ProcessHandle> owned = Files.readAllLines(pids).stream()
                    .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
                    .toList();
            assertThat(owned).hasSize(2).allMatch(ProcessHandle::isAlive);

            owner.kill();

            await().atMost(TIMEOUT).until(() -> owned.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    @Test
    void shouldHearWhatItIsTold() throws Exception {
        try (ChildJvm child = start("child", Owned.class, folder)) {
            child.tell("end");

            assertThat(child.awaitExit(TIMEOUT)).isTrue();
            child.tell("nobody listens any more");
            assertThat(child.log()).hasContent("told end\nin order");
        }
    }

    @Test
    void shouldEndInOrderWhenItIsStopped() throws Exception {
        try (ChildJvm child = start("child", Owned.class, folder, "ready")) {
            child.awaitReady(() -> child.log().toFile().length() > 0, TIMEOUT);

            assertThat(child.stop(TIMEOUT)).isTrue();
            assertThat(child.log()).hasContent("ready\nin order");
        }
    }

    @Test
    void shouldSayThatItEndedBeforeItWasReady() throws Exception {
        try (ChildJvm child = start("child", Owned.class, folder)) {
            child.tell("end");

            assertThatThrownBy(() -> child.awaitReady(() -> false, TIMEOUT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("child ended; its log is " + child.log());
        }
    }

    private static ChildJvm start(String name, Class<?> main, Path folder, String... arguments) {
        return ChildJvm.start(new ChildJvm.Command(
                name,
                main.getName(),
                List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                List.of(arguments),
                Map.of(),
                folder.resolve(name + ".log")));
    }

    /** Starts two, stops one of them, and tells both pids in a file. */
    static final class Owner {
        private Owner() {}

        public static void main(String[] args) throws Exception {
            Path pids = Path.of(args[0]);
            Path folder = Objects.requireNonNull(pids.getParent());
            ChildJvm running = start("running", Owned.class, folder);
            ChildJvm stopped = start("stopped", Owned.class, folder);
            Thread.ofVirtual().start(() -> {
                try {
                    stopped.pause(Duration.ofSeconds(3));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            Path status = Path.of("/proc", Long.toString(stopped.pid()), "status");
            await().atMost(TIMEOUT).until(() -> Files.readString(status).contains("T (stopped)"));
            Files.writeString(pids.resolveSibling("partial"), running.pid() + "\n" + stopped.pid() + "\n");
            Files.move(pids.resolveSibling("partial"), pids);
            Thread.currentThread().join();
        }
    }

    /** Waits for the end of its parent, or to be told; says what it is given, and takes a moment to end in order. */
    static final class Owned {
        private Owned() {}

        public static void main(String[] args) throws InterruptedException {
            var never = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
                System.out.println("in order");
            }));
            ParentWatch.onLine(line -> {
                System.out.println("told " + line);
                Thread.ofPlatform().start(() -> System.exit(0));
            });
            for (String argument : args) {
                System.out.println(argument);
            }
            never.await();
        }
    }
}
