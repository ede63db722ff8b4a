package io.millrace.streams.simulation;

import java.io.Serial;

/** The process that runs this is no more: unwinds what it was in the middle of. No code of ours may catch it. */
final class Killed extends Error {

    @Serial
    private static final long serialVersionUID = 1L;

    Killed() {
        super("killed", null, false, false);
    }
}
