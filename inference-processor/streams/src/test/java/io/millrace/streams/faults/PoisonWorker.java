package io.millrace.streams.faults;

import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;

/** A worker process whose engine dies with it on some prompts. */
public final class PoisonWorker {

    /** Of an answer, so that neighbours are running when the process dies. */
    private static final Duration GENERATION = Duration.ofMillis(300);

    private PoisonWorker() {}

    /** Arguments: bootstrap servers, application id. */
    public static void main(String[] args) {
        TestApp test = TestApp.existing(args[0], args[1])
                .with("main.consumer.session.timeout.ms", "3000")
                .with("producer.transaction.timeout.ms", "3000");
        ProcessorApp app = test.start(TestEngine.delayed(GENERATION));
        app.stopped().join();
    }
}
