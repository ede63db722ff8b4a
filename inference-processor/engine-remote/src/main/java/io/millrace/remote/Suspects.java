package io.millrace.remote;

import io.millrace.remote.protocol.Fault;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Requests that may be what their server fails at: one that a firewall refuses, or that crashes what is behind a gateway. The
 * suspect is the one whose attempt began its endpoint's pause. If what was sent next is answered, the suspect was to blame; if
 * that fails as well, or failed together with it, the endpoint is.
 *
 * <p>Bound: one for each endpoint. Threads: the dispatcher's monitor guards it.
 */
final class Suspects {

    private final Map<Endpoint, Suspect> byEndpoint = new HashMap<>();

    /** A request, and what its endpoint said of it. */
    record Suspect(Flight flight, Endpoint endpoint, Fault.Away fault, long sinceNanos) {}

    /** An attempt began a pause. */
    void began(Endpoint endpoint, Flight flight, Fault.Away fault, long nowNanos) {
        if (fault.mayBeOfRequest()) {
            byEndpoint.put(endpoint, new Suspect(flight, endpoint, fault, nowNanos));
        }
    }

    /** Another attempt failed together with the one that began the pause. */
    void together(Endpoint endpoint) {
        byEndpoint.remove(endpoint);
    }

    /** A request is being answered, or was: whom that leaves to blame. */
    Optional<Suspect> answered(Flight flight, Attempt attempt) {
        Suspect suspect = byEndpoint.get(attempt.endpoint());
        if (suspect == null || attempt.sentNanos() - suspect.sinceNanos() <= 0) {
            return Optional.empty();
        }
        byEndpoint.remove(attempt.endpoint());
        return suspect.flight().equals(flight) ? Optional.empty() : Optional.of(suspect);
    }
}
