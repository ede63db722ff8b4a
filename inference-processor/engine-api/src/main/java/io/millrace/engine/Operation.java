package io.millrace.engine;

import java.util.Locale;
import java.util.Optional;

/** What a request asks for. */
public enum Operation {
    /** Answer a conversation, put into the model's chat template. */
    CHAT,
    /** Continue a text as it is. */
    GENERATE,
    /** Turn a text into a vector. */
    EMBED,
    /** Score labels for a text. */
    CLASSIFY,
    /** Score documents for a query. */
    RERANK;

    /** The name in records: lower case. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The operation of that wire name, if there is one. */
    public static Optional<Operation> ofWireName(String wireName) {
        for (Operation operation : values()) {
            if (operation.wireName().equals(wireName)) {
                return Optional.of(operation);
            }
        }
        return Optional.empty();
    }
}
