package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/** Methods of strings, lists and mappings. */
final class Methods {

    private final Budget budget;

    Methods(Budget budget) {
        this.budget = budget;
    }

    /** The method of this name that the object's type has. */
    Optional<Callable> find(Object object, String name) {
        Callable method = switch (object) {
            case String text when STRING_METHODS.contains(name) -> arguments -> onString(text, name, arguments);
            case Map<?, ?> map when MAP_METHODS.contains(name) -> arguments -> onMap(map, name, arguments);
            case List<?> list
            when name.equals("index") || name.equals("count") -> arguments -> onList(list, name, arguments);
            default -> null;
        };
        return Optional.ofNullable(method);
    }

    private static final List<String> MAP_METHODS = List.of("items", "keys", "values", "get");

    private static final List<String> STRING_METHODS = List.of(
            "capitalize",
            "count",
            "endswith",
            "find",
            "index",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isspace",
            "isupper",
            "join",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper");

    private Object onMap(Map<?, ?> map, String name, Arguments arguments) {
        return switch (name) {
            case "items" -> pairs(map);
            case "keys" -> new ArrayList<Object>(map.keySet());
            case "values" -> new ArrayList<Object>(map.values());
            default -> {
                Object value = map.get(Values.key(arguments.require(0, "key")));
                yield value == null ? arguments.get(1, "default", None.NONE) : value;
            }
        };
    }

    /** {@code dict.items()}. */
    List<Object> pairs(Map<?, ?> map) {
        budget.charge(map.size());
        List<Object> pairs = new ArrayList<>(map.size());
        map.forEach((key, value) -> pairs.add(new Tuple(List.of(key, value))));
        return pairs;
    }

    private Object onList(List<?> list, String name, Arguments arguments) {
        Object item = arguments.require(0, "value");
        if (name.equals("count")) {
            return list.stream()
                    .filter(value -> Values.equal(value, item, budget))
                    .count();
        }
        for (int i = 0; i < list.size(); i++) {
            if (Values.equal(list.get(i), item, budget)) {
                return (long) i;
            }
        }
        throw new TemplateException("index of what is not in the list");
    }

    private Object onString(String text, String name, Arguments arguments) {
        budget.charge(text.length());
        return switch (name) {
            case "strip" -> PythonText.strip(text, stripped(arguments));
            case "lstrip" -> PythonText.stripLeft(text, stripped(arguments));
            case "rstrip" -> PythonText.stripRight(text, stripped(arguments));
            case "split", "rsplit" -> split(text, name, arguments);
            case "splitlines" -> PythonText.splitLines(text);
            case "startswith" -> matchesAny(text, arguments, String::startsWith);
            case "endswith" -> matchesAny(text, arguments, String::endsWith);
            case "replace" ->
                replace(
                        text,
                        arguments.requireString(0, "old"),
                        arguments.requireString(1, "new"),
                        arguments.getInt(2, "count", -1));
            case "removeprefix" -> {
                String prefix = arguments.requireString(0, "prefix");
                yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
            }
            case "removesuffix" -> {
                String suffix = arguments.requireString(0, "suffix");
                yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
            }
            case "find", "rfind", "index", "count" -> search(text, name, arguments.requireString(0, "sub"));
            case "join" -> join(text, arguments.require(0, "iterable"));
            case "isalnum", "isalpha", "isdigit", "isspace", "islower", "isupper" -> is(text, name);
            default -> cased(name).apply(text);
        };
    }

    private static UnaryOperator<String> cased(String name) {
        return switch (name) {
            case "upper" -> text -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> PythonText::capitalize;
            case "title" -> PythonText::title;
            default -> throw new IllegalStateException(name);
        };
    }

    static IntPredicate stripped(Arguments arguments) {
        if (arguments.get(0, "chars", None.NONE) instanceof None) {
            return PythonText::isSpace;
        }
        String chars = arguments.requireString(0, "chars");
        return c -> chars.indexOf(c) >= 0;
    }

    private Object split(String text, String name, Arguments arguments) {
        long max = arguments.getInt(1, "maxsplit", -1);
        if (arguments.get(0, "sep", None.NONE) instanceof None) {
            if (max >= 0 && name.equals("rsplit")) {
                throw new TemplateException("rsplit at white space with a limit is not supported");
            }
            return PythonText.splitAtSpace(text, max);
        }
        String separator = arguments.requireString(0, "sep");
        if (separator.isEmpty()) {
            throw new TemplateException("split at an empty separator");
        }
        return name.equals("split")
                ? PythonText.split(text, separator, max)
                : PythonText.splitFromRight(text, separator, max);
    }

    private static boolean matchesAny(String text, Arguments arguments, BiPredicate<String, String> matches) {
        if (arguments.require(0, "prefix") instanceof Tuple tuple) {
            return tuple.stream().anyMatch(part -> part instanceof String string && matches.test(text, string));
        }
        return matches.test(text, arguments.requireString(0, "prefix"));
    }

    /** {@code str.replace(old, new, count)}; a negative count means all. */
    String replace(String text, String old, String replacement, long count) {
        if (old.isEmpty()) {
            throw new TemplateException("replace of an empty string is not supported");
        }
        long found = occurrences(text, old);
        long times = count < 0 ? found : Math.min(count, found);
        budget.charge(text.length() + times * Math.max(0, replacement.length() - old.length()));
        StringBuilder result = new StringBuilder(text.length());
        int from = 0;
        for (long i = 0; i < times; i++) {
            int at = text.indexOf(old, from);
            result.append(text, from, at).append(replacement);
            from = at + old.length();
        }
        return result.append(text, from, text.length()).toString();
    }

    private static long occurrences(String text, String part) {
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    private static Object search(String text, String name, String part) {
        if (name.equals("count")) {
            return part.isEmpty() ? PythonText.length(text) + 1 : occurrences(text, part);
        }
        int at = name.equals("rfind") ? text.lastIndexOf(part) : text.indexOf(part);
        if (at < 0 && name.equals("index")) {
            throw new TemplateException("index of what is not in the string");
        }
        return at < 0 ? -1L : (long) text.codePointCount(0, at);
    }

    /** {@code separator.join(items)}: strings only. */
    private Object join(String separator, Object items) {
        StringBuilder joined = new StringBuilder();
        String between = "";
        for (Object item : Values.items(items)) {
            if (!(item instanceof String text)) {
                throw new TemplateException("join of " + Values.typeName(item));
            }
            budget.charge((long) between.length() + text.length());
            joined.append(between).append(text);
            between = separator;
        }
        return joined.toString();
    }

    private static boolean is(String text, String name) {
        if (text.isEmpty()) {
            return false;
        }
        return switch (name) {
            case "isalnum" -> text.codePoints().allMatch(c -> Character.isLetter(c) || isNumeric(c));
            case "isalpha" -> text.codePoints().allMatch(Character::isLetter);
            case "isdigit" -> text.codePoints().allMatch(c -> Character.digit(c, 10) >= 0 && !Character.isLetter(c));
            case "isspace" -> text.codePoints().allMatch(PythonText::isSpace);
            case "islower" -> isCased(text, Character::isLowerCase, Character::isUpperCase);
            default -> isCased(text, Character::isUpperCase, Character::isLowerCase);
        };
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }

    /** Whether a text has letters of this case and none of the other. */
    static boolean isCased(String text, IntPredicate wanted, IntPredicate unwanted) {
        return text.codePoints().anyMatch(wanted)
                && text.codePoints().noneMatch(c -> unwanted.test(c) || Character.isTitleCase(c));
    }
}
