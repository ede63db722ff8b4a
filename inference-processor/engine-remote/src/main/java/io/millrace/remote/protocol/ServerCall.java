package io.millrace.remote.protocol;

import java.util.function.Supplier;

/**
 * A request as its server gets it.
 *
 * @param path after the endpoint's url, starting with a slash
 * @param body JSON in UTF-8
 * @param delivery how the answer comes
 * @param size how much the server has to read
 * @param prefix beginning of the prompt, at most {@value Protocol#PREFIX_CHARS} characters
 * @param reader makes the reader of an attempt's answer
 */
public record ServerCall(
        String path, byte[] body, Delivery delivery, PromptSize size, String prefix, Supplier<AnswerReader> reader) {

    /** How an answer comes. */
    public enum Delivery {
        /** As server-sent events, token by token. */
        STREAMED,
        /** In one piece. */
        WHOLE
    }

    /**
     * How long a prompt is.
     *
     * @param chars of text
     * @param tokens that are tokens already
     */
    public record PromptSize(long chars, int tokens) {}
}
