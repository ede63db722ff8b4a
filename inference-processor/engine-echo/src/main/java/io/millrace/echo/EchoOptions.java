package io.millrace.echo;

import java.time.Duration;
import java.util.Optional;

/**
 * An echo engine's options.
 *
 * @param name the name that requests use
 * @param version as results report it
 * @param maxModelLen most words of prompt and answer together, at least 2
 * @param maxNumSeqs most requests that run at once, at least 1
 * @param maxWaiting most requests that wait for a place, at least 1
 * @param defaultMaxTokens most words of an answer whose request names no number, at least 1
 * @param delay from the start of a request to its first word, not negative
 * @param tokensPerSecond words that each request gets a second after its first, above 0
 */
public record EchoOptions(
        String name,
        Optional<String> version,
        int maxModelLen,
        int maxNumSeqs,
        int maxWaiting,
        int defaultMaxTokens,
        Duration delay,
        double tokensPerSecond) {

    public EchoOptions {
        check("max_model_len", maxModelLen, maxModelLen >= 2, "at least 2");
        check("max_num_seqs", maxNumSeqs, maxNumSeqs >= 1, "at least 1");
        check("max_waiting", maxWaiting, maxWaiting >= 1, "at least 1");
        check("default_max_tokens", defaultMaxTokens, defaultMaxTokens >= 1, "at least 1");
        check("delay", delay, !delay.isNegative(), "0 or longer");
        check("tokens_per_second", tokensPerSecond, tokensPerSecond > 0, "above 0");
    }

    private static void check(String name, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }
}
