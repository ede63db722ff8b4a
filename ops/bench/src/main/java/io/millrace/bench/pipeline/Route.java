package io.millrace.bench.pipeline;

/** A way from prompts to their endings, open for one run. */
interface Route extends AutoCloseable {

    /** Hands a prompt over and does not wait for its ending. */
    void send(Prompt prompt);

    @Override
    void close();
}
