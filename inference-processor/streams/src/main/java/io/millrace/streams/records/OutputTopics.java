package io.millrace.streams.records;

/** Where each output goes. */
public record OutputTopics(String results, String failures, String metrics, String deadLetters) {

    /** The topic of a sink. */
    public String of(Sink sink) {
        return switch (sink) {
            case RESULTS -> results;
            case FAILURES -> failures;
            case METRICS -> metrics;
            case DEAD_LETTERS -> deadLetters;
        };
    }
}
