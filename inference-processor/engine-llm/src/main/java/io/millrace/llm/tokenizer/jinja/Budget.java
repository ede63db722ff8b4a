package io.millrace.llm.tokenizer.jinja;

/** What one rendering may use, so that no template runs on or fills the memory. */
final class Budget {

    /** Nodes evaluated: real templates take some dozens per message. */
    static final long MAX_STEPS = 5_000_000;

    /** Characters and list items made in all, intermediate ones included. */
    static final long MAX_SIZE = 64L << 20;

    /** Nested evaluations, each a few Java frames. */
    static final int MAX_DEPTH = 400;

    private long steps;
    private long size;
    private int depth;

    void enter() {
        if (++steps > MAX_STEPS) {
            throw exceeded("steps", MAX_STEPS);
        }
        if (++depth > MAX_DEPTH) {
            throw exceeded("nested evaluations", MAX_DEPTH);
        }
    }

    void leave() {
        depth--;
    }

    /** Called before so many characters or items are made. */
    void charge(long count) {
        if (count < 0 || count > MAX_SIZE - size) {
            throw exceeded("characters", MAX_SIZE);
        }
        size += count;
    }

    private static TemplateException exceeded(String what, long max) {
        return new TemplateException(
                TemplateException.Cause.LIMIT, "rendering the chat template takes more than " + max + " " + what);
    }
}
