package io.millrace.streams.simulation;

/**
 * How a prompt ended, as a committed record says.
 *
 * @param name of a result, a dead letter or a failure's code
 * @param written when among all records, see {@link Log.Entry}
 */
record Ending(int partition, int offset, String name, String text, long written, long writtenNanos) {

    boolean isAnswer() {
        return name.equals(Prompt.RESULT);
    }

    boolean isDuplicate() {
        return name.equals(Prompt.DUPLICATE);
    }
}
