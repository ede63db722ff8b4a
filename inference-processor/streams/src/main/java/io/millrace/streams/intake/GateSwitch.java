package io.millrace.streams.intake;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.Gate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes and opens the gate, and says so once; rings its bell. */
record GateSwitch(Gate gate, ProcessorObserver observer) {

    private static final Logger LOG = LoggerFactory.getLogger(GateSwitch.class);

    void close(Closure closure, String why) {
        if (gate.close(closure)) {
            LOG.warn("gate closed: {}: {}", closure, why);
            observer.gateClosed(closure);
        }
    }

    void open(Closure closure) {
        if (gate.open(closure)) {
            LOG.info("gate opened: {}", closure);
            observer.gateOpened(closure);
        }
    }

    /** Something has ended. */
    void ring() {
        gate.bell().ring();
    }
}
