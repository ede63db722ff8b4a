package io.millrace.llm.scheduler;

/** How prompts enter steps. */
public enum PrefillMode {
    /** As much of a prompt as the step has room for. */
    CHUNKED,
    /** A whole prompt in one step, or nothing of it. */
    WHOLE
}
