package io.millrace.streams.zombie;

import io.millrace.engine.InferenceEngine;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.testing.RemoteEngines;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * A worker process with the test engine. It holds every prompt until a file appears, and says what it does by files:
 *
 * <pre>
 *  DIR/NAME.running   appears when it holds at least as many prompts as it was told
 *  DIR/NAME.release   it answers what it holds, when this appears
 *  DIR/NAME.stop      it stops itself (SIGSTOP) when it is about to forward a result and this is there
 *  DIR/NAME.stopped   appears just before it does
 * </pre>
 */
public final class Worker {

    private Worker() {}

    /**
     * Arguments: bootstrap servers, application id, directory, name, prompts to hold, FENCED or UNFENCED. With one more, the address
     * of a {@code ChatServer}, it has a remote engine, and the server holds its prompts.
     */
    public static void main(String[] args) throws Exception {
        TestApp test = TestApp.existing(args[0], args[1]);
        Path directory = Path.of(args[2]);
        String name = args[3];
        int held = Integer.parseInt(args[4]);
        Fencing fencing = Fencing.valueOf(args[5]);
        TestEngine local = TestEngine.immediate().holding(text -> true);
        InferenceEngine engine = args.length > 6 ? RemoteEngines.open(URI.create(args[6])) : local;
        StopBeforeForward stop = new StopBeforeForward(
                test.outputs().results(), directory.resolve(name + ".stop"), directory.resolve(name + ".stopped"));
        ProcessorApp app = test.start(
                engine,
                new ProcessorHooks(
                        ProcessorObserver.NONE,
                        (applicationId, gate, pacer) -> clients(applicationId, gate, pacer, fencing, stop)));
        waitUntil(() -> engine.stats().running() + engine.stats().waiting() >= held && stop.isSettled());
        Files.createFile(directory.resolve(name + ".running"));
        waitUntil(() -> Files.exists(directory.resolve(name + ".release")));
        local.release();
        app.stopped().join();
    }

    private static KafkaClientSupplier clients(
            String applicationId, Gate gate, CommitPacer pacer, Fencing fencing, StopBeforeForward stop) {
        return switch (fencing) {
            case FENCED -> new StoppingClients(applicationId, gate, pacer, stop);
            case UNFENCED -> new UnfencedClients(applicationId, gate, pacer, stop);
        };
    }

    private interface Condition {
        boolean holds();
    }

    private static void waitUntil(Condition condition) throws InterruptedException {
        while (!condition.holds()) {
            TimeUnit.NANOSECONDS.sleep(Duration.ofMillis(20).toNanos());
        }
    }
}
