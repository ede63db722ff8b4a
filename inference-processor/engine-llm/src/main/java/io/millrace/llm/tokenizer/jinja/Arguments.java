package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** Evaluated arguments of a call of {@code function}. */
record Arguments(String function, List<Object> positional, Map<String, Object> named) {

    /** Argument {@code index}, or of this name, or what stands for it where it was not given. */
    Object get(int index, String name, Object standard) {
        if (index < positional.size()) {
            return positional.get(index);
        }
        return named.getOrDefault(name, standard);
    }

    Object require(int index, String name) {
        Object value = get(index, name, None.NONE);
        if (index >= positional.size() && !named.containsKey(name)) {
            throw new TemplateException(function + " needs an argument '" + name + "'");
        }
        return value;
    }

    String requireString(int index, String name) {
        return string(require(index, name), name);
    }

    String getString(int index, String name, String standard) {
        return string(get(index, name, standard), name);
    }

    long getInt(int index, String name, long standard) {
        if (get(index, name, standard) instanceof Long value) {
            return value;
        }
        throw new TemplateException(function + " needs an integer '" + name + "'");
    }

    /** Refuses more than {@code max} positional arguments and names that are not among these. */
    void check(int max, String... names) {
        if (positional.size() > max) {
            throw new TemplateException(function + " takes at most " + max + " arguments, not " + positional.size());
        }
        for (String name : named.keySet()) {
            if (!List.of(names).contains(name)) {
                throw new TemplateException(function + " has no argument '" + name + "'");
            }
        }
    }

    private String string(Object value, String name) {
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateException(function + " needs a string '" + name + "', not " + Values.typeName(value));
    }
}
