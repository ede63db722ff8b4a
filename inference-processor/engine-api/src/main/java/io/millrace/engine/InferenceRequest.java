package io.millrace.engine;

import java.time.Instant;
import java.util.Optional;

/**
 * One request to an engine.
 *
 * @param id unique among the requests in flight; free again once its request completed or was cancelled
 * @param operation what is asked for
 * @param input what it works on
 * @param sampling how tokens are drawn
 * @param extraBody a JSON object, as text, whose members go into the body that a server gets, past all parameters known here;
 *     an engine without a server refuses it: {@code INVALID_REQUEST}
 * @param seed seed of the draws where {@code sampling} has none; the same after a restart
 * @param priority lower is earlier among waiting requests
 * @param tenant waiting tenants take turns; empty is a tenant of its own
 * @param deadline after which an answer is of no use
 * @param admittedNanos {@link System#nanoTime} at admission, the start of queue time
 */
public record InferenceRequest(
        String id,
        Operation operation,
        Input input,
        SamplingParameters sampling,
        Optional<String> extraBody,
        long seed,
        int priority,
        String tenant,
        Optional<Instant> deadline,
        long admittedNanos) {}
