package io.millrace.llm.tokenizer;

import java.util.Optional;

/** What a token is, as GGUF has it. */
enum TokenType {
    NORMAL(1),
    UNKNOWN(2),
    /** Means something to the model and is not text: {@code <|im_start|>}. Parsed only when asked. */
    CONTROL(3),
    /** Text that is always one token, wherever it stands. */
    USER_DEFINED(4),
    UNUSED(5),
    /** One byte, written {@code <0x0A>}. */
    BYTE(6);

    private final int id;

    TokenType(int id) {
        this.id = id;
    }

    static Optional<TokenType> byId(int id) {
        for (TokenType type : values()) {
            if (type.id == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Whether its text is looked for before all else; normal tokens' text never is. */
    boolean standsAlone() {
        return this == CONTROL || this == USER_DEFINED || this == UNKNOWN;
    }
}
