package io.millrace.llm.tokenizer.jinja;

import java.io.Serial;

/** A template that can't be parsed, or fails while it renders. */
public final class TemplateException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String text;
    private final Cause kind;
    private final boolean hasPosition;

    /** Whose fault it is. */
    public enum Cause {
        /** The template: bad syntax, a construct that is not supported, a wrong type. */
        TEMPLATE,
        /** The template itself refused its input, by {@code raise_exception}. */
        RAISED,
        /** Rendering took more steps or text than allowed. */
        LIMIT
    }

    private TemplateException(Cause kind, String message, boolean hasPosition) {
        super(message);
        this.text = message;
        this.kind = kind;
        this.hasPosition = hasPosition;
    }

    TemplateException(Cause kind, String message) {
        this(kind, message, false);
    }

    TemplateException(String message) {
        this(Cause.TEMPLATE, message, false);
    }

    /** An error at a place of the source. */
    static TemplateException at(Position position, String message) {
        String place = "line " + position.line() + ", column " + position.column();
        return new TemplateException(Cause.TEMPLATE, place + ": " + message, true);
    }

    @Override
    public String getMessage() {
        return text;
    }

    /** Whose fault it is. */
    public Cause kind() {
        return kind;
    }

    boolean hasPosition() {
        return hasPosition;
    }
}
