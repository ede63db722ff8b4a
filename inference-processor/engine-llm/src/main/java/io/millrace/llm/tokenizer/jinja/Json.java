package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** {@code json.dumps(value, ensure_ascii=False, indent=…)}, as transformers' {@code tojson} writes. */
final class Json {

    private final int indent;
    private final Budget budget;
    private final StringBuilder out = new StringBuilder();

    /** @param indent spaces per level; negative for everything on one line */
    private Json(int indent, Budget budget) {
        this.indent = indent;
        this.budget = budget;
    }

    static String write(Object value, int indent, Budget budget) {
        Json json = new Json(indent, budget);
        json.write(value, 1);
        return json.out.toString();
    }

    private void write(Object value, int level) {
        budget.enter();
        int start = out.length();
        switch (value) {
            case None _ -> out.append("null");
            case Boolean b -> out.append((boolean) b);
            case Long n -> out.append((long) n);
            case Double d -> out.append(real(d));
            case String text -> string(text);
            case List<?> list -> array(list, level);
            case Map<?, ?> map -> object(map, level);
            case Undefined undefined -> throw undefined.error();
            default -> throw new TemplateException(Values.typeName(value) + " as JSON");
        }
        budget.charge(out.length() - start);
        budget.leave();
    }

    private static String real(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        return Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Values.repr(value);
    }

    private void array(List<?> items, int level) {
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            separate(i, level);
            write(items.get(i), level + 1);
        }
        close(items.isEmpty(), level, ']');
    }

    private void object(Map<?, ?> map, int level) {
        out.append('{');
        int count = 0;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            separate(count++, level);
            string(entry.getKey() instanceof String key ? key : write(entry.getKey(), -1, budget));
            out.append(": ");
            write(entry.getValue(), level + 1);
        }
        close(map.isEmpty(), level, '}');
    }

    private void separate(int index, int level) {
        if (indent >= 0) {
            out.append(index == 0 ? "\n" : ",\n").repeat(' ', indent * level);
        } else if (index > 0) {
            out.append(", ");
        }
    }

    private void close(boolean empty, int level, char bracket) {
        if (indent >= 0 && !empty) {
            out.append('\n').repeat(' ', indent * (level - 1));
        }
        out.append(bracket);
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
