package io.millrace.remote;

import io.millrace.remote.protocol.ServerCall;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Which endpoint gets a request, of those that have room for it.
 *
 * <p>Threads: the engine's monitor guards it.
 */
final class EndpointChoice {

    /** How much more than the mean an endpoint may have to do and still attract prompts of its prefixes. */
    private static final double IMBALANCE = 1.25;

    private final List<Endpoint> endpoints;
    private final RemoteOptions.Choice choice;

    EndpointChoice(List<Endpoint> endpoints, RemoteOptions.Choice choice) {
        this.endpoints = List.copyOf(endpoints);
        this.choice = choice;
    }

    /** The endpoint for a request of so many tokens; empty while there is none. */
    Optional<Endpoint> choose(ServerCall call, int tokens, long now) {
        List<Endpoint> open = endpoints.stream()
                .filter(endpoint -> endpoint.hasRoom(call.delivery(), tokens, now))
                .toList();
        List<Endpoint> order = switch (choice) {
            case LEAST_TOKENS -> byTokens(open);
            case PREFIX_AFFINITY -> byPrefix(open, call.prefix(), tokens);
        };
        return order.stream().filter(Endpoint::mayTry).findFirst();
    }

    private static List<Endpoint> byTokens(List<Endpoint> open) {
        return open.stream()
                .sorted(Comparator.comparingLong(Endpoint::tokensInFlight)
                        .thenComparingLong(endpoint -> endpoint.finished() + endpoint.inFlight()))
                .toList();
    }

    /**
     * Rendezvous hashing: each prefix has its own order of endpoints, and one more or less endpoint moves only the prefixes that are
     * its own. Those that have too much to do come last.
     */
    private List<Endpoint> byPrefix(List<Endpoint> open, String prefix, int tokens) {
        double mean = endpoints.stream().mapToLong(Endpoint::tokensInFlight).sum() / (double) endpoints.size();
        Comparator<Endpoint> loadedLast =
                Comparator.comparing(endpoint -> endpoint.tokensInFlight() > IMBALANCE * mean + tokens);
        return byTokens(open).stream()
                .sorted(loadedLast.thenComparing(
                        Comparator.comparingLong((Endpoint endpoint) -> weight(prefix, endpoint))
                                .reversed()))
                .toList();
    }

    private static long weight(String prefix, Endpoint endpoint) {
        CRC32C hash = new CRC32C();
        hash.update(endpoint.name().getBytes(StandardCharsets.UTF_8));
        hash.update(0);
        hash.update(prefix.getBytes(StandardCharsets.UTF_8));
        return mixed(hash.getValue());
    }

    /** A CRC of a suffix keeps the order of its prefixes' CRCs too often; the finalizer of SplitMix64 does not. */
    private static long mixed(long value) {
        long z = value * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
