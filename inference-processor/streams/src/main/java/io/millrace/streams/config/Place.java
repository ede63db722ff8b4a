package io.millrace.streams.config;

import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/** A place in the file; both from 1, or 0 for the file as a whole. */
record Place(int line, int column) {
    static final Place WHOLE_FILE = new Place(0, 0);

    static Place of(Node node) {
        return node.getStartMark().map(Place::of).orElse(WHOLE_FILE);
    }

    static Place of(Mark mark) {
        return new Place(mark.getLine() + 1, mark.getColumn() + 1);
    }
}
