package io.millrace.llm.tokenizer.jinja;

/** A token of a template. {@code text} is the operator, name or digits; for TEXT and STRING the content, unescaped. */
record Token(Kind kind, String text, Position position) {

    enum Kind {
        TEXT,
        BLOCK_BEGIN,
        BLOCK_END,
        VARIABLE_BEGIN,
        VARIABLE_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind expected, String expectedText) {
        return kind == expected && text.equals(expectedText);
    }

    /** For messages. */
    String describe() {
        return switch (kind) {
            case BLOCK_END -> "'%}'";
            case VARIABLE_END -> "'}}'";
            case END -> "end of template";
            default -> "'" + text + "'";
        };
    }
}
