package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** Items and attributes of values. What is not there is {@link Undefined}. */
final class Lookup {

    private Lookup() {}

    /** {@code object[key]}. */
    static Object item(Object object, Object key) {
        return switch (object) {
            case Undefined undefined -> throw undefined.error();
            case Map<?, ?> map -> mapped(map, key);
            case List<?> list when key instanceof Long index -> indexed(list, index);
            case String text when key instanceof Long index -> character(text, index);
            case Namespace namespace when key instanceof String name -> attribute(namespace, name);
            case Loop loop when key instanceof String name -> loop.attribute(name);
            default -> undefined(key);
        };
    }

    /** {@code object.name}, methods apart. */
    static Object attribute(Object object, String name) {
        return switch (object) {
            case Namespace namespace -> {
                Object value = namespace.attributes().get(name);
                yield value == null ? undefined(name) : value;
            }
            case Loop loop -> loop.attribute(name);
            default -> item(object, name);
        };
    }

    /** An attribute of an attribute, with dots between; digits are indices. */
    static Object path(Object object, Object path) {
        if (path instanceof Long) {
            return item(object, path);
        }
        Object value = object;
        for (Object part : PythonText.split(Values.str(path, new Budget()), ".", -1)) {
            String name = (String) part;
            boolean index =
                    !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            value = index ? item(value, Long.valueOf(name)) : attribute(value, name);
        }
        return value;
    }

    private static Object mapped(Map<?, ?> map, Object key) {
        boolean canBeKey =
                !(key instanceof List || key instanceof Map || key instanceof Undefined || key instanceof Namespace);
        Object value = canBeKey ? map.get(key) : null;
        return value == null ? undefined(key) : value;
    }

    private static Object indexed(List<?> list, long index) {
        long at = index < 0 ? index + list.size() : index;
        return at >= 0 && at < list.size() ? list.get((int) at) : undefined(index);
    }

    private static Object character(String text, long index) {
        long length = PythonText.length(text);
        long at = index < 0 ? index + length : index;
        if (at < 0 || at >= length) {
            return undefined(index);
        }
        return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
    }

    private static Undefined undefined(Object key) {
        return new Undefined(key instanceof String || key instanceof Long ? key.toString() : "item");
    }
}
