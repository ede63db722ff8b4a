package io.millrace.streams.records;

import io.millrace.engine.Completion;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How one prompt ended: all that is forwarded in the transaction that deletes it from the pending store.
 *
 * @param records a result or failure with its metrics, or a dead letter
 * @param label the finish reason, the failure's code, or {@link #DEAD_LETTER}: what metrics count it under
 * @param model who answered or was asked for
 * @param tenant on whose behalf
 * @param timings where an engine was reached
 * @param usage where an engine was reached
 */
public record Outcome(
        List<OutRecord> records,
        String label,
        @Nullable String model,
        @Nullable String tenant,
        Optional<Completion.Timings> timings,
        Optional<Completion.Usage> usage) {

    /** Label of prompts that could not be decoded. */
    public static final String DEAD_LETTER = "DEAD_LETTER";

    public Outcome {
        records = List.copyOf(records);
    }

    /** Whether the prompt got a result. */
    public boolean isAnswer() {
        return records.stream().anyMatch(record -> record.sink() == Sink.RESULTS);
    }
}
