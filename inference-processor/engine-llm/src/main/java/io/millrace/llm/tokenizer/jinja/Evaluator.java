package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Values of expressions. */
final class Evaluator {

    private final Budget budget;
    private final Methods methods;
    private final Arithmetic arithmetic;
    private final Tests tests;
    private final Filters filters;

    Evaluator(Budget budget) {
        this.budget = budget;
        methods = new Methods(budget);
        arithmetic = new Arithmetic(budget);
        tests = new Tests(budget);
        filters = new Filters(budget, methods, arithmetic, tests);
    }

    Object value(Expression expression, Scope scope) {
        budget.enter();
        Object value = switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ListOf list -> values(list.items(), scope);
            case Expression.TupleOf tuple -> new Tuple(values(tuple.items(), scope));
            case Expression.DictOf dict -> dict(dict, scope);
            case Expression.Attribute attribute -> attribute(attribute, scope);
            case Expression.Item item -> item(item, scope);
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call -> call(call, scope);
            case Expression.Filter filter ->
                filters.apply(
                        filter.name(),
                        value(filter.value(), scope),
                        arguments("filter " + filter.name(), filter.args(), scope));
            case Expression.Test test ->
                tests.apply(
                        test.name(), value(test.value(), scope), arguments("test " + test.name(), test.args(), scope));
            case Expression.Not not -> !isTrue(not.value(), scope);
            case Expression.Sign sign -> sign(sign, scope);
            case Expression.Binary binary ->
                arithmetic.apply(value(binary.left(), scope), binary.operator(), value(binary.right(), scope));
            case Expression.And and -> {
                Object left = value(and.left(), scope);
                yield Values.isTrue(left) ? value(and.right(), scope) : left;
            }
            case Expression.Or or -> {
                Object left = value(or.left(), scope);
                yield Values.isTrue(left) ? left : value(or.right(), scope);
            }
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Conditional conditional -> conditional(conditional, scope);
        };
        budget.leave();
        return value;
    }

    boolean isTrue(Expression expression, Scope scope) {
        return Values.isTrue(value(expression, scope));
    }

    /** The value as it is printed. */
    String text(Expression expression, Scope scope) {
        return Values.str(value(expression, scope), budget);
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        expressions.forEach(expression -> values.add(value(expression, scope)));
        return values;
    }

    private Map<Object, Object> dict(Expression.DictOf dict, Scope scope) {
        Map<Object, Object> map = new LinkedHashMap<>();
        dict.items().forEach(item -> map.put(Values.key(value(item.getKey(), scope)), value(item.getValue(), scope)));
        return map;
    }

    private Object attribute(Expression.Attribute attribute, Scope scope) {
        Object object = value(attribute.object(), scope);
        Optional<Callable> method = methods.find(object, attribute.name());
        return method.isPresent() ? method.get() : Lookup.attribute(object, attribute.name());
    }

    private Object item(Expression.Item item, Scope scope) {
        Object object = value(item.object(), scope);
        Object key = value(item.key(), scope);
        Object found = Lookup.item(object, key);
        if (found instanceof Undefined && key instanceof String name) {
            Optional<Callable> method = methods.find(object, name);
            return method.isPresent() ? method.get() : found;
        }
        return found;
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        Object object = value(slice.object(), scope);
        if (object instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!(object instanceof String) && !(object instanceof List<?>)) {
            throw new TemplateException("a slice of " + Values.typeName(object));
        }
        List<Object> items = Values.items(object);
        budget.charge(items.size());
        List<Object> picked =
                Slices.pick(items, index(slice.start(), scope), index(slice.stop(), scope), index(slice.step(), scope));
        if (object instanceof String) {
            StringBuilder text = new StringBuilder();
            picked.forEach(text::append);
            return text.toString();
        }
        return object instanceof Tuple ? new Tuple(picked) : picked;
    }

    private Optional<Long> index(Optional<Expression> expression, Scope scope) {
        Object value = expression.isPresent() ? value(expression.get(), scope) : None.NONE;
        return switch (value) {
            case None _ -> Optional.empty();
            case Long index -> Optional.of(index);
            case Undefined undefined -> throw undefined.error();
            default -> throw new TemplateException("a slice at " + Values.typeName(value));
        };
    }

    private Object sign(Expression.Sign sign, Scope scope) {
        Number number = Values.number(value(sign.value(), scope), "'" + sign.operator() + "'");
        boolean negates = sign.operator().equals("-");
        return negates && number instanceof Double real
                ? (Object) (-real)
                : arithmetic.apply(0L, sign.operator(), number);
    }

    private Object comparison(Expression.Comparison comparison, Scope scope) {
        Object left = value(comparison.operands().getFirst(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.operands().get(i + 1), scope);
            if (!holds(left, comparison.operators().get(i), right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private boolean holds(Object left, String operator, Object right) {
        return switch (operator) {
            case "==" -> Values.equal(left, right, budget);
            case "!=" -> !Values.equal(left, right, budget);
            case "<" -> Values.compare(left, right) < 0;
            case "<=" -> Values.compare(left, right) <= 0;
            case ">" -> Values.compare(left, right) > 0;
            case ">=" -> Values.compare(left, right) >= 0;
            case "in" -> Values.contains(right, left, budget);
            case "not in" -> !Values.contains(right, left, budget);
            default -> throw new IllegalStateException(operator);
        };
    }

    private Object conditional(Expression.Conditional conditional, Scope scope) {
        if (isTrue(conditional.condition(), scope)) {
            return value(conditional.then(), scope);
        }
        return conditional.otherwise().isPresent()
                ? value(conditional.otherwise().get(), scope)
                : new Undefined("the inline if-expression evaluated to false and no else section was defined");
    }

    private Object call(Expression.Call call, Scope scope) {
        Object function = value(call.function(), scope);
        String name = switch (call.function()) {
            case Expression.Name callee -> callee.name();
            case Expression.Attribute callee -> callee.name();
            default -> "function";
        };
        if (function instanceof Callable callable) {
            return callable.call(arguments(name, call.args(), scope));
        }
        if (function instanceof Undefined undefined) {
            throw undefined.error();
        }
        throw new TemplateException("'" + name + "' is not callable");
    }

    private Arguments arguments(String function, Expression.Args args, Scope scope) {
        Map<String, Object> named = new LinkedHashMap<>();
        args.named().forEach((name, expression) -> named.put(name, value(expression, scope)));
        return new Arguments(function, values(args.positional(), scope), named);
    }
}
