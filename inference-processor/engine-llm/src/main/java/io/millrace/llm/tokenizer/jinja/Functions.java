package io.millrace.llm.tokenizer.jinja;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that every template sees. */
final class Functions {

    private static final long MAX_RANGE = 100_000;

    private final Budget budget;
    private final Clock clock;

    Functions(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
    }

    void define(Scope scope) {
        scope.set("range", (Callable) this::range);
        scope.set("namespace", (Callable) arguments -> Namespace.copyOf(arguments.named()));
        scope.set("dict", (Callable) arguments -> new LinkedHashMap<Object, Object>(arguments.named()));
        scope.set("raise_exception", (Callable) Functions::raise);
        scope.set("strftime_now", (Callable) arguments -> format(arguments.requireString(0, "format")));
    }

    private static Object raise(Arguments arguments) {
        Object message = arguments.require(0, "message");
        throw new TemplateException(
                TemplateException.Cause.RAISED, message instanceof String text ? text : Values.typeName(message));
    }

    private Object range(Arguments arguments) {
        arguments.check(3);
        boolean one = arguments.positional().size() == 1;
        long start = one ? 0 : arguments.getInt(0, "start", 0);
        long stop = arguments.getInt(one ? 0 : 1, "stop", 0);
        long step = arguments.getInt(2, "step", 1);
        if (step == 0) {
            throw new TemplateException("range with a step of zero");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            if (numbers.size() == MAX_RANGE) {
                throw new TemplateException(
                        TemplateException.Cause.LIMIT, "range of more than " + MAX_RANGE + " numbers");
            }
            numbers.add(i);
        }
        budget.charge(numbers.size());
        return numbers;
    }

    /** {@code datetime.now().strftime(format)}, in English. */
    private String format(String format) {
        LocalDateTime now = LocalDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c == '%' && i + 2 < format.length() && format.charAt(i + 1) == '-') {
                out.append(field(now, format.charAt(i + 2)).replaceFirst("^0+(?=.)", ""));
                i += 2;
            } else if (c == '%' && i + 1 < format.length()) {
                out.append(field(now, format.charAt(++i)));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static final Map<Character, DateTimeFormatter> FIELDS = Map.ofEntries(
            field('d', "dd"),
            field('m', "MM"),
            field('y', "yy"),
            field('Y', "yyyy"),
            field('H', "HH"),
            field('I', "hh"),
            field('M', "mm"),
            field('S', "ss"),
            field('j', "DDD"),
            field('p', "a"),
            field('F', "yyyy-MM-dd"),
            field('T', "HH:mm:ss"));

    private static Map.Entry<Character, DateTimeFormatter> field(char name, String pattern) {
        return Map.entry(name, DateTimeFormatter.ofPattern(pattern, Locale.US));
    }

    private static String field(LocalDateTime now, char name) {
        return switch (name) {
            case 'b' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.US);
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.US);
            case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.US);
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.US);
            case '%' -> "%";
            default -> {
                DateTimeFormatter formatter = FIELDS.get(name);
                if (formatter == null) {
                    throw new TemplateException("strftime_now with %" + name + " is not supported");
                }
                yield formatter.format(now);
            }
        };
    }
}
