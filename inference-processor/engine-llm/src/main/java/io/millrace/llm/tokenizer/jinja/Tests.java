package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** Jinja's tests: what stands behind {@code is}. */
final class Tests {

    private final Budget budget;

    Tests(Budget budget) {
        this.budget = budget;
    }

    boolean apply(String name, Object value, Arguments arguments) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value instanceof None;
            case "true" -> value.equals(true);
            case "false" -> value.equals(false);
            case "boolean" -> value instanceof Boolean;
            case "string" -> value instanceof String;
            case "number" -> Values.isNumber(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "mapping" -> value instanceof Map;
            case "iterable", "sequence" ->
                value instanceof String || value instanceof List || value instanceof Map || value instanceof Undefined;
            case "callable" -> value instanceof Callable;
            case "even", "odd", "divisibleby" -> divides(name, value, arguments);
            case "lower" -> Methods.isCased(Values.str(value, budget), Character::isLowerCase, Character::isUpperCase);
            case "upper" -> Methods.isCased(Values.str(value, budget), Character::isUpperCase, Character::isLowerCase);
            default -> compares(name, value, arguments.require(0, "other"));
        };
    }

    private static boolean divides(String name, Object value, Arguments arguments) {
        double number = Values.number(value, name).doubleValue();
        long divisor = name.equals("divisibleby") ? arguments.getInt(0, "num", 0) : 2;
        if (divisor == 0) {
            throw new TemplateException("divisibleby zero");
        }
        double rest = number - divisor * Math.floor(number / divisor);
        return name.equals("odd") ? rest == 1 : rest == 0;
    }

    private boolean compares(String name, Object value, Object other) {
        return switch (name) {
            case "eq", "equalto" -> Values.equal(value, other, budget);
            case "ne" -> !Values.equal(value, other, budget);
            case "lt", "lessthan" -> Values.compare(value, other) < 0;
            case "le" -> Values.compare(value, other) <= 0;
            case "gt", "greaterthan" -> Values.compare(value, other) > 0;
            case "ge" -> Values.compare(value, other) >= 0;
            case "in" -> Values.contains(other, value, budget);
            case "sameas" -> same(value, other);
            default -> throw new IllegalStateException(name);
        };
    }

    private boolean same(Object value, Object other) {
        boolean plain = value instanceof Boolean || value instanceof None;
        return plain ? value.equals(other) : value.getClass() == other.getClass() && Values.equal(value, other, budget);
    }
}
