package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Jinja's filters. */
final class Filters {

    private static final Pattern TITLE_WORD = Pattern.compile("[^-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private final Budget budget;
    private final Methods methods;
    private final Arithmetic arithmetic;
    private final Tests tests;

    Filters(Budget budget, Methods methods, Arithmetic arithmetic, Tests tests) {
        this.budget = budget;
        this.methods = methods;
        this.arithmetic = arithmetic;
        this.tests = tests;
    }

    Object apply(String name, Object value, Arguments arguments) {
        return switch (name) {
            case "default", "d" -> standard(value, arguments);
            case "safe" -> value;
            case "string" -> text(value);
            case "tojson" -> tojson(value, arguments);
            case "length", "count" -> length(value);
            case "indent" -> indent(value, arguments);
            case "trim", "upper", "lower", "capitalize", "title", "replace" -> onText(name, text(value), arguments);
            case "first", "last" -> end(name, value);
            case "list" -> charged(Values.items(value));
            case "reverse" -> reverse(value);
            case "join" -> join(value, arguments);
            case "items" -> value instanceof Undefined ? List.of() : methods.pairs(map(value));
            case "map", "select", "reject", "selectattr", "rejectattr" ->
                overItems(name, Values.isTrue(value) ? Values.items(value) : List.of(), arguments);
            case "sum", "min", "max" -> aggregate(name, Values.items(value), arguments);
            case "abs", "int", "float" -> number(name, value, arguments);
            default -> throw new IllegalStateException(name);
        };
    }

    private String text(Object value) {
        return Values.str(value, budget);
    }

    private List<Object> charged(List<Object> items) {
        budget.charge(items.size());
        return items;
    }

    private static Map<?, ?> map(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new TemplateException("items of " + Values.typeName(value));
    }

    private static Object standard(Object value, Arguments arguments) {
        arguments.check(2, "default_value", "boolean");
        boolean absent = value instanceof Undefined
                || (Values.isTrue(arguments.get(1, "boolean", false)) && !Values.isTrue(value));
        return absent ? arguments.get(0, "default_value", "") : value;
    }

    private Object tojson(Object value, Arguments arguments) {
        arguments.check(1, "indent", "ensure_ascii");
        boolean oneLine = arguments.get(0, "indent", None.NONE) instanceof None;
        long indent = oneLine ? -1 : arguments.getInt(0, "indent", -1);
        if (indent > 32 || Values.isTrue(arguments.get(1, "ensure_ascii", false))) {
            throw new TemplateException("tojson with this indent or ensure_ascii is not supported");
        }
        return Json.write(value, (int) indent, budget);
    }

    private static Object length(Object value) {
        return switch (value) {
            case String text -> PythonText.length(text);
            case List<?> list -> (long) list.size();
            case Map<?, ?> map -> (long) map.size();
            case Undefined _ -> 0L;
            default -> throw new TemplateException("length of " + Values.typeName(value));
        };
    }

    private Object onText(String name, String text, Arguments arguments) {
        budget.charge(text.length());
        return switch (name) {
            case "trim" -> PythonText.strip(text, Methods.stripped(arguments));
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> PythonText.capitalize(text);
            case "title" ->
                TITLE_WORD.matcher(text).replaceAll(word -> Matcher.quoteReplacement(titleWord(word.group())));
            case "replace" ->
                methods.replace(
                        text,
                        text(arguments.require(0, "old")),
                        text(arguments.require(1, "new")),
                        arguments.get(2, "count", None.NONE) instanceof None ? -1 : arguments.getInt(2, "count", -1));
            default -> throw new IllegalStateException(name);
        };
    }

    private static String titleWord(String word) {
        int second = word.offsetByCodePoints(0, 1);
        return word.substring(0, second).toUpperCase(Locale.ROOT)
                + word.substring(second).toLowerCase(Locale.ROOT);
    }

    private String indent(Object value, Arguments arguments) {
        if (!(value instanceof String text)) {
            throw new TemplateException("indent of " + Values.typeName(value));
        }
        arguments.check(3, "width", "first", "blank");
        String indent = arguments.get(0, "width", 4L) instanceof String given
                ? given
                : " ".repeat(Math.clamp(arguments.getInt(0, "width", 4), 0, 1000));
        boolean blank = Values.isTrue(arguments.get(2, "blank", false));
        StringBuilder out = new StringBuilder();
        List<Object> lines = PythonText.splitLines(text + "\n");
        budget.charge((long) lines.size() * (indent.length() + 1));
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            boolean first = i == 0;
            out.append(first ? "" : "\n");
            boolean indented = first ? Values.isTrue(arguments.get(1, "first", false)) : blank || !line.isEmpty();
            out.append(indented ? indent : "").append(line);
        }
        return out.toString();
    }

    private static Object end(String name, Object value) {
        List<Object> items = Values.items(value);
        if (items.isEmpty()) {
            return new Undefined("No " + name + " item, sequence was empty.");
        }
        return name.equals("first") ? items.getFirst() : items.getLast();
    }

    private Object reverse(Object value) {
        if (value instanceof String text) {
            budget.charge(text.length());
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> items = charged(new ArrayList<>(Values.items(value)));
        Collections.reverse(items);
        return items;
    }

    private Object join(Object value, Arguments arguments) {
        arguments.check(2, "d", "attribute");
        String separator = text(arguments.get(0, "d", ""));
        Object attribute = arguments.get(1, "attribute", None.NONE);
        StringBuilder joined = new StringBuilder();
        String between = "";
        for (Object item : Values.items(value)) {
            String part = text(attribute instanceof None ? item : Lookup.path(item, attribute));
            budget.charge((long) between.length() + part.length());
            joined.append(between).append(part);
            between = separator;
        }
        return joined.toString();
    }

    private Object overItems(String name, List<Object> items, Arguments arguments) {
        budget.charge(items.size());
        List<Object> result = new ArrayList<>();
        if (name.equals("map")) {
            items.forEach(item -> result.add(mapped(item, arguments)));
        } else {
            Predicate<Object> wanted = predicate(name, arguments);
            items.stream().filter(wanted).forEach(result::add);
        }
        return result;
    }

    private Object mapped(Object item, Arguments arguments) {
        if (arguments.named().containsKey("attribute")) {
            arguments.check(0, "attribute", "default");
            Object value = Lookup.path(item, arguments.require(0, "attribute"));
            return value instanceof Undefined ? arguments.named().getOrDefault("default", value) : value;
        }
        String filter = arguments.requireString(0, "filter");
        if (!Supported.isFilter(filter)) {
            throw new TemplateException("filter '" + filter + "' is not supported");
        }
        return apply(filter, item, rest(arguments, filter, 1));
    }

    private Predicate<Object> predicate(String name, Arguments arguments) {
        boolean selects = name.startsWith("select");
        int used = name.endsWith("attr") ? 1 : 0;
        Object attribute = used == 1 ? arguments.require(0, "attribute") : None.NONE;
        String test = arguments.getString(used, "test", "");
        if (!test.isEmpty() && !Supported.isTest(test)) {
            throw new TemplateException("test '" + test + "' is not supported");
        }
        Arguments testArguments = rest(arguments, test, used + 1);
        return item -> {
            Object value = used == 1 ? Lookup.path(item, attribute) : item;
            boolean passes = test.isEmpty() ? Values.isTrue(value) : tests.apply(test, value, testArguments);
            return passes == selects;
        };
    }

    private static Arguments rest(Arguments arguments, String function, int from) {
        List<Object> positional = arguments.positional();
        return new Arguments(
                function, positional.subList(Math.min(from, positional.size()), positional.size()), arguments.named());
    }

    private Object aggregate(String name, List<Object> items, Arguments arguments) {
        arguments.check(0);
        if (name.equals("sum")) {
            Object sum = 0L;
            for (Object item : items) {
                sum = arithmetic.apply(sum, "+", item);
            }
            return sum;
        }
        if (items.isEmpty()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Comparator<Object> order = (left, right) -> Values.compare(caseless(left), caseless(right));
        return name.equals("min") ? Collections.min(items, order) : Collections.max(items, order);
    }

    private static Object caseless(Object value) {
        return value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static Object number(String name, Object value, Arguments arguments) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (name.equals("abs")) {
            Number number = Values.number(value, "abs");
            return number instanceof Long n ? (Object) Math.absExact(n) : (Object) Math.abs(number.doubleValue());
        }
        try {
            Object parsed = value instanceof String text ? Double.valueOf(text.strip()) : Values.number(value, name);
            if (value instanceof String text
                    && name.equals("int")
                    && text.strip().matches("[+-]?[0-9]{1,18}")) {
                return Long.valueOf(text.strip());
            }
            double real = ((Number) parsed).doubleValue();
            return name.equals("float") ? (Object) real : parsed instanceof Long n ? (Object) n : (Object) (long) real;
        } catch (NumberFormatException | TemplateException e) {
            return arguments.get(0, "default", name.equals("int") ? (Object) 0L : (Object) 0.0);
        }
    }
}
