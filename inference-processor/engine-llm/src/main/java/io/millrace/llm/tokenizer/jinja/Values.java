package io.millrace.llm.tokenizer.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Values and what Python does with them. A value is a {@link None}, {@link Undefined}, Boolean, Long, Double, String, List (or {@link Tuple}), Map,
 * {@link Namespace}, {@link Loop} or {@link Callable}.
 */
final class Values {

    private Values() {}

    static boolean isTrue(Object value) {
        return switch (value) {
            case None _, Undefined _ -> false;
            case Boolean b -> b;
            case Long n -> n != 0;
            case Double d -> d != 0;
            case String s -> !s.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> true;
        };
    }

    /** Python's name of the type, for messages. */
    static String typeName(Object value) {
        return switch (value) {
            case None _ -> "None";
            case Undefined _ -> "undefined";
            case Boolean _ -> "a boolean";
            case Long _ -> "an integer";
            case Double _ -> "a float";
            case String _ -> "a string";
            case Tuple _ -> "a tuple";
            case List<?> _ -> "a list";
            case Map<?, ?> _ -> "a mapping";
            case Namespace _ -> "a namespace";
            case Loop _ -> "a loop";
            default -> "a function";
        };
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    /** An integer or boolean as a Long, a float as it is. */
    static Number number(Object value, String what) {
        return switch (value) {
            case Long n -> n;
            case Double d -> d;
            case Boolean b -> b ? 1L : 0L;
            case Undefined undefined -> throw undefined.error();
            default -> throw new TemplateException(what + " of " + typeName(value));
        };
    }

    @SuppressWarnings("ReferenceEquality") // namespaces, loops and functions equal only themselves
    static boolean equal(Object left, Object right, Budget budget) {
        if (isNumber(left) && isNumber(right)) {
            return compareNumbers(number(left, "=="), number(right, "==")) == 0;
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return (left instanceof Tuple) == (right instanceof Tuple) && equalItems(a, b, budget);
        }
        if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
            return equalMaps(a, b, budget);
        }
        if (left instanceof String || left instanceof None) {
            return left.equals(right);
        }
        return left == right || (left instanceof Undefined && right instanceof Undefined);
    }

    private static boolean equalItems(List<?> left, List<?> right, Budget budget) {
        budget.enter();
        boolean equal = left.size() == right.size();
        for (int i = 0; equal && i < left.size(); i++) {
            equal = equal(left.get(i), right.get(i), budget);
        }
        budget.leave();
        return equal;
    }

    private static boolean equalMaps(Map<?, ?> left, Map<?, ?> right, Budget budget) {
        budget.enter();
        boolean equal = left.size() == right.size();
        for (Map.Entry<?, ?> entry : left.entrySet()) {
            Object other = right.get(entry.getKey());
            equal = equal && other != null && equal(entry.getValue(), other, budget);
        }
        budget.leave();
        return equal;
    }

    /** Order of numbers, strings (by code point) and lists; an error for other types. */
    static int compare(Object left, Object right) {
        if (isNumber(left) && isNumber(right)) {
            return compareNumbers(number(left, "<"), number(right, "<"));
        }
        if (left instanceof String a && right instanceof String b) {
            return java.util.Arrays.compare(
                    a.codePoints().toArray(), b.codePoints().toArray());
        }
        if (left instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.error();
        }
        throw new TemplateException("no order between " + typeName(left) + " and " + typeName(right));
    }

    private static int compareNumbers(Number left, Number right) {
        if (left instanceof Long a && right instanceof Long b) {
            return Long.compare(a, b);
        }
        double a = left.doubleValue();
        double b = right.doubleValue();
        return a == b ? 0 : Double.compare(a, b);
    }

    /** {@code item in container}. */
    static boolean contains(Object container, Object item, Budget budget) {
        return switch (container) {
            case String text when item instanceof String part -> text.contains(part);
            case String _ -> throw new TemplateException("'in' a string of " + typeName(item));
            case List<?> list -> list.stream().anyMatch(value -> equal(value, item, budget));
            case Map<?, ?> map -> !(item instanceof Undefined) && map.containsKey(key(item));
            case Undefined _ -> false;
            default -> throw new TemplateException("'in' of " + typeName(container));
        };
    }

    /** A value as the key of a mapping: anything but what can hold others. */
    static Object key(Object value) {
        return switch (value) {
            case None _, Boolean _, Long _, Double _, String _ -> value;
            default -> throw new TemplateException(typeName(value) + " as a key");
        };
    }

    /** What a loop goes over: items, keys or characters. */
    static List<Object> items(Object value) {
        return switch (value) {
            case Undefined _ -> List.of();
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text ->
                text.codePoints().<Object>mapToObj(Character::toString).toList();
            default -> throw new TemplateException(typeName(value) + " is not iterable");
        };
    }

    /** {@code str(value)}. */
    static String str(Object value, Budget budget) {
        return switch (value) {
            case String text -> text;
            case Undefined _ -> "";
            default -> {
                StringBuilder out = new StringBuilder();
                repr(value, out, budget);
                yield out.toString();
            }
        };
    }

    private static void repr(Object value, StringBuilder out, Budget budget) {
        budget.enter();
        int start = out.length();
        switch (value) {
            case None _ -> out.append("None");
            case Undefined _ -> out.append("Undefined");
            case Boolean b -> out.append(b ? "True" : "False");
            case Long n -> out.append((long) n);
            case Double d -> out.append(repr(d));
            case String text -> reprString(text, out);
            case List<?> list -> reprItems(list, out, budget);
            case Map<?, ?> map -> reprMap(map, out, budget);
            default -> throw new TemplateException(typeName(value) + " can't be printed");
        }
        budget.charge(out.length() - start);
        budget.leave();
    }

    private static void reprItems(List<?> items, StringBuilder out, Budget budget) {
        boolean tuple = items instanceof Tuple;
        out.append(tuple ? '(' : '[');
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? "" : ", ");
            repr(items.get(i), out, budget);
        }
        out.append(tuple && items.size() == 1 ? "," : "").append(tuple ? ')' : ']');
    }

    private static void reprMap(Map<?, ?> map, StringBuilder out, Budget budget) {
        String separator = "{";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            repr(entry.getKey(), out, budget);
            out.append(": ");
            repr(entry.getValue(), out, budget);
            separator = ", ";
        }
        out.append(map.isEmpty() ? "{}" : "}");
    }

    private static void reprString(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (prints(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(String.format(c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
                    }
                }
            }
        });
        out.append(quote);
    }

    /** {@code str.isprintable}. */
    private static boolean prints(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** Python's shortest form: an exponent below 1e-4 and from 1e16 on. */
    static String repr(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-4 || size >= 1e16)) {
            String[] parts = Double.toString(value).split("E", 2);
            int exponent = Integer.parseInt(parts[1]);
            String mantissa = parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
            return mantissa + String.format("e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
        }
        String plain = new BigDecimal(Double.toString(value)).toPlainString();
        plain = plain.contains(".") ? plain : plain + ".0";
        return 1 / value < 0 && value == 0 ? "-0.0" : plain;
    }
}
