package io.millrace.echo;

import io.millrace.engine.EngineContract;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

class EchoEngineContractTest extends EngineContract {

    private static final Duration ENDLESS = Duration.ofHours(1);

    @Override
    protected Rig open(int maxRunning, int maxWaiting) {
        return new EndlessRig(
                new EchoOptions("echo", Optional.empty(), 1_000, maxRunning, maxWaiting, 16, ENDLESS, 100));
    }

    @Override
    protected InferenceRequest wrong(String id) {
        return new InferenceRequest(
                id,
                Operation.EMBED,
                new Input.Text("abc"),
                SamplingParameters.DEFAULT,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                0);
    }

    /** Time that goes as usual, and once released leaps from look to look. */
    private static final class EndlessRig implements Rig {
        private final AtomicLong leapNanos = new AtomicLong();
        private final AtomicLong aheadNanos = new AtomicLong();
        private final EchoEngine engine;

        EndlessRig(EchoOptions options) {
            engine = new EchoEngine(options, () -> System.nanoTime() + aheadNanos.addAndGet(leapNanos.get()));
            engine.start();
        }

        @Override
        public InferenceEngine engine() {
            return engine;
        }

        @Override
        public void release() {
            leapNanos.set(ENDLESS.toNanos());
        }

        @Override
        public void close() {
            engine.close();
        }
    }
}
