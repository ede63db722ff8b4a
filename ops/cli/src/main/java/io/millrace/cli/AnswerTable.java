package io.millrace.cli;

import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Results and failures as rows of one table. */
final class AnswerTable {

    private static final String NONE = "-";

    private AnswerTable() {}

    static Table empty() {
        return new Table()
                .column("REQUEST")
                .column("TENANT")
                .column("ENDED")
                .column("TOKENS", Table.Align.RIGHT)
                .column("TOTAL", Table.Align.RIGHT)
                .column("ANSWER");
    }

    static void add(Table table, InferenceResult result) {
        table.row(
                result.getRequestId(),
                orNone(result.getTenant()),
                result.getFinishReason(),
                result.getUsage().getCompletionTokens(),
                String.format(Locale.ROOT, "%.2f s", result.getTimings().getTotalMs() / 1e3),
                orNone(result.getText()));
    }

    static void add(Table table, InferenceFailure failure) {
        table.row(
                failure.getRequestId(),
                orNone(failure.getTenant()),
                failure.getCode(),
                NONE,
                NONE,
                failure.getMessage());
    }

    private static String orNone(@Nullable String text) {
        return text == null ? NONE : text;
    }
}
