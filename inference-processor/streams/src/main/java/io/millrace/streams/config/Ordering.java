package io.millrace.streams.config;

/** In which order results appear. */
public enum Ordering {
    /** As they are ready. */
    NONE,
    /** Within a partition, those of one record key in the prompts' order. */
    KEY
}
