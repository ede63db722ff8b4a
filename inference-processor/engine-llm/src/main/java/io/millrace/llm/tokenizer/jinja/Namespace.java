package io.millrace.llm.tokenizer.jinja;

import java.util.HashMap;
import java.util.Map;

/** The object whose attributes can be set, also from within a loop. */
record Namespace(Map<String, Object> attributes) {

    static Namespace copyOf(Map<String, Object> attributes) {
        return new Namespace(new HashMap<>(attributes));
    }
}
