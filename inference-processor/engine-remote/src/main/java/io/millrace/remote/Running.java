package io.millrace.remote;

import io.millrace.remote.Attempt.Stop;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.protocol.Fault;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Requests under way to their servers, and how long these may take.
 *
 * <p>Bounded by its caller. Threads: the dispatcher's monitor guards it.
 */
final class Running {

    /** A server from which nothing has come for so long is waited for. */
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Connection timeouts;
    private final Map<Flight, Attempt> attempts = new LinkedHashMap<>();

    Running(Connection timeouts) {
        this.timeouts = timeouts;
    }

    int size() {
        return attempts.size();
    }

    void add(Flight flight, Attempt attempt) {
        attempts.put(flight, attempt);
    }

    void remove(Flight flight) {
        attempts.remove(flight);
    }

    /** Stops what has taken too long. */
    void stopDue(long now) {
        attempts.forEach((flight, attempt) -> {
            if (flight.isOverdue(now)) {
                attempt.stop(Stop.DEADLINE);
            } else if (now - attempt.heardNanos() > saturated(timeouts.readTimeout())) {
                attempt.stop(Stop.READ_TIMEOUT);
            } else if (now - attempt.sentNanos() > saturated(timeouts.totalTimeout())) {
                attempt.stop(Stop.TOTAL_TIMEOUT);
            }
        });
    }

    private static long saturated(Duration duration) {
        return duration.toSeconds() > Integer.MAX_VALUE ? Long.MAX_VALUE : duration.toNanos();
    }

    /** What a timeout from here means. */
    Fault timeout(Attempt attempt, Stop why) {
        return why == Stop.TOTAL_TIMEOUT
                ? new Fault.Broken(
                        Fault.Kind.TIMEOUT, "no end of the answer after total_timeout=" + timeouts.totalTimeout())
                : silence(attempt, "no byte for read_timeout=" + timeouts.readTimeout());
    }

    /** What a server's word means: a gateway that gave up waiting has seen what a timeout from here sees. */
    static Fault told(Attempt attempt, Fault fault) {
        return fault.kind() == Fault.Kind.TIMEOUT ? silence(attempt, fault.message()) : fault;
    }

    /** A server that meanwhile answered nobody at all hangs; else it is this request that it has trouble with. */
    private static Fault silence(Attempt attempt, String message) {
        return attempt.hasToken() || attempt.endpoint().answeredSince(attempt.sentNanos())
                ? new Fault.Broken(Fault.Kind.TIMEOUT, message)
                : new Fault.Away(Fault.Kind.TIMEOUT, message, Optional.empty());
    }

    /** Stops all, and answers what that was. */
    List<Attempt> close() {
        List<Attempt> all = List.copyOf(attempts.values());
        all.forEach(attempt -> attempt.stop(Stop.CLOSED));
        return all;
    }

    /** Whether there is something, and nothing comes of any of it. */
    boolean isSilent(long now) {
        return !attempts.isEmpty()
                && attempts.values().stream().allMatch(attempt -> now - attempt.heardNanos() > SILENT_NANOS);
    }

    /** Lines for people. */
    String describe(long now) {
        return attempts.entrySet().stream()
                .map(each -> describe(each.getKey(), each.getValue(), now))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    private static String describe(Flight flight, Attempt attempt, long now) {
        return "request " + flight.request().id() + ": on "
                + attempt.endpoint().name() + " for " + (now - attempt.sentNanos()) / 1_000_000 + " ms, parts "
                + flight.parts();
    }
}
