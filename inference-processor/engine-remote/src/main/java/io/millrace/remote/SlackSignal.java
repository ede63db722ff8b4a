package io.millrace.remote;

import io.millrace.remote.protocol.FaultException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one signal, again and again.
 *
 * <p>Threads: a virtual one of its own, until it is closed.
 */
final class SlackSignal implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(SlackSignal.class);

    private final SignalReader reader;
    private final RemoteOptions.Slack options;
    private final SlackGate.BySignal gate;
    private final RemoteClock clock;
    private final Thread thread;

    SlackSignal(SignalReader reader, RemoteOptions.Slack options, SlackGate.BySignal gate, RemoteClock clock) {
        this.reader = reader;
        this.options = options;
        this.gate = gate;
        this.clock = clock;
        thread = Thread.ofVirtual()
                .name("millrace-slack-" + reader.url().getHost())
                .unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        boolean failedBefore = false;
        try {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    gate.read(reader.read(), clock.nanoTime());
                    failedBefore = false;
                } catch (IOException | FaultException | RuntimeException e) {
                    // whatever it is: a signal that is read no more would keep the gate closed for ever
                    gate.failed(e.toString());
                    if (!failedBefore) {
                        log.warn(
                                "{} could not be read at {}: {}",
                                options.signal(),
                                RemoteOptions.shown(reader.url()),
                                e.toString());
                    }
                    failedBefore = true;
                }
                Thread.sleep(options.interval());
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
