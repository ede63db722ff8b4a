package io.millrace.streams.records;

/** The outputs of the topology. */
public enum Sink {
    /** Answers. */
    RESULTS("results"),
    /** Prompts that have no answer, and why. */
    FAILURES("failures"),
    /** What each request cost. */
    METRICS("metrics"),
    /** Bytes that are no prompt. */
    DEAD_LETTERS("dead-letters");

    private final String nodeName;

    Sink(String nodeName) {
        this.nodeName = nodeName;
    }

    /** Name of the sink's node in the topology. */
    public String nodeName() {
        return nodeName;
    }
}
