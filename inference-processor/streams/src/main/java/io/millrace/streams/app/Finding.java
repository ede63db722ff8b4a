package io.millrace.streams.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Something about topics or brokers that is not as it should be.
 *
 * @param topics whom it is about; {@code brokers} where it is no topic
 * @param setting what was looked at, by Kafka's name where it has one
 * @param is how it is
 * @param expected how it should be
 * @param remedy what to do, and why
 * @param fix the value that may be set at once, with everything running; empty: a person must decide
 */
public record Finding(
        Severity severity,
        List<String> topics,
        String setting,
        String is,
        String expected,
        String remedy,
        Optional<String> fix) {

    /** How bad it is, the worst last. */
    public enum Severity {
        /** Good to know. */
        NOTE,
        /** It works, but something can be lost, late or slow. */
        WARNING,
        /** An instance does not start. */
        ERROR
    }

    public Finding {
        topics = List.copyOf(topics);
    }

    /** In one line. */
    public String message() {
        return subject() + ": " + setting + "=" + is + ", expected=" + expected + ". Remedy: " + remedy;
    }

    /** The topics, or how many there are. */
    public String subject() {
        int shown = topics.size() <= 2 ? topics.size() : 1;
        String rest = shown == topics.size() ? "" : " and " + (topics.size() - shown) + " others";
        return String.join(", ", topics.subList(0, shown)) + rest;
    }

    /** Those that differ in the topic only become one. */
    static List<Finding> merged(List<Finding> findings) {
        Map<Finding, List<String>> topics = new LinkedHashMap<>();
        for (Finding finding : findings) {
            topics.computeIfAbsent(finding.about(List.of()), _ -> new ArrayList<>())
                    .addAll(finding.topics());
        }
        List<Finding> merged = new ArrayList<>();
        topics.forEach((finding, names) -> merged.add(finding.about(names)));
        return merged;
    }

    private Finding about(List<String> names) {
        return new Finding(severity, names, setting, is, expected, remedy, fix);
    }
}
