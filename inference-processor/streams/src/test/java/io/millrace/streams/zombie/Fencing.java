package io.millrace.streams.zombie;

/** Whether commits carry the fence. */
enum Fencing {
    /** As in the product. */
    FENCED,
    /** As Kafka Streams does it alone. */
    UNFENCED
}
