package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's binary operators. */
final class Arithmetic {

    private final Budget budget;

    Arithmetic(Budget budget) {
        this.budget = budget;
    }

    Object apply(Object left, String operator, Object right) {
        return switch (operator) {
            case "~" -> concatenate(Values.str(left, budget), Values.str(right, budget));
            case "+" -> add(left, right);
            case "*" -> multiply(left, right);
            default -> numbers(left, operator, right);
        };
    }

    private Object concatenate(String left, String right) {
        budget.charge((long) left.length() + right.length());
        return left + right;
    }

    private Object add(Object left, Object right) {
        if (left instanceof String a && right instanceof String b) {
            return concatenate(a, b);
        }
        if (left instanceof List<?> a && right instanceof List<?> b && isTuple(a) == isTuple(b)) {
            budget.charge((long) a.size() + b.size());
            List<Object> joined = new ArrayList<>(a);
            joined.addAll(b);
            return isTuple(a) ? new Tuple(joined) : joined;
        }
        return numbers(left, "+", right);
    }

    private static boolean isTuple(List<?> list) {
        return list instanceof Tuple;
    }

    private Object multiply(Object left, Object right) {
        if (right instanceof Boolean times) {
            return multiply(left, times ? 1L : 0L);
        }
        if (left instanceof Long times && (right instanceof String || right instanceof List<?>)) {
            return multiply(right, times);
        }
        if (left instanceof String text && right instanceof Long times) {
            budget.charge(size(text.length(), times));
            return text.repeat((int) Math.max(0, times));
        }
        if (left instanceof List<?> list && right instanceof Long times) {
            budget.charge(size(list.size(), times));
            List<Object> repeated = new ArrayList<>();
            for (long i = 0; i < times && !list.isEmpty(); i++) {
                repeated.addAll(list);
            }
            return isTuple(list) ? new Tuple(repeated) : repeated;
        }
        return numbers(left, "*", right);
    }

    /** The size of a repetition, or -1, which no budget covers. */
    private static long size(int size, long times) {
        long count = Math.max(0, times);
        if (count > Integer.MAX_VALUE) {
            return size == 0 ? 0 : -1;
        }
        return size * count;
    }

    private static Object numbers(Object left, String operator, Object right) {
        if (operator.equals("%") && left instanceof String) {
            throw new TemplateException("formatting with % is not supported");
        }
        Number a = Values.number(left, "'" + operator + "'");
        Number b = Values.number(right, "'" + operator + "'");
        if (a instanceof Long x && b instanceof Long y && !operator.equals("/")) {
            return integers(x, operator, y);
        }
        return floats(a.doubleValue(), operator, b.doubleValue());
    }

    private static Object integers(long a, String operator, long b) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(a, b);
                case "-" -> Math.subtractExact(a, b);
                case "*" -> Math.multiplyExact(a, b);
                case "//" -> Math.floorDivExact(a, b);
                case "%" -> Math.floorMod(a, b);
                case "**" -> b < 0 ? (Object) Math.pow((double) a, (double) b) : (Object) power(a, b);
                default -> throw new IllegalStateException(operator);
            };
        } catch (ArithmeticException e) {
            throw new TemplateException("'" + operator + "' of " + a + " and " + b + ": " + e.getMessage());
        }
    }

    private static long power(long base, long exponent) {
        if (base == 0 || base == 1) {
            return exponent == 0 ? 1 : base;
        }
        if (base == -1) {
            return exponent % 2 == 0 ? 1 : -1;
        }
        long result = 1;
        for (long i = 0; i < exponent; i++) { // overflows after 63 rounds at most
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    private static Object floats(double a, String operator, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new TemplateException("'" + operator + "' by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            case "**" -> Math.pow(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }
}
