package io.millrace.llm.tokenizer.jinja;

import java.time.Clock;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A parsed template. Immutable; rendered by any number of threads at once. */
public final class Template {

    /** Longest source accepted, in characters; the longest real ones have some ten thousand. */
    public static final int MAX_SOURCE = 1 << 18;

    private final List<Statement> statements;

    private Template(List<Statement> statements) {
        this.statements = statements;
    }

    /**
     * Parses a template.
     *
     * @throws TemplateException where it is broken or uses what is not supported; the message names what and where
     */
    public static Template parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new TemplateException(source.length() + " characters, expected at most " + MAX_SOURCE);
        }
        return new Template(TemplateParser.parse(source));
    }

    /**
     * Renders it.
     *
     * @param variables by name; values are null (Python's None), Boolean, Integer, Long, Double, String, List and Map of such
     * @param clock for {@code strftime_now}
     * @throws TemplateException where the template fails, refuses its input, or takes too much
     */
    public String render(Map<String, ? extends @Nullable Object> variables, Clock clock) {
        Budget budget = new Budget();
        Scope scope = new Scope(null);
        new Functions(budget, clock).define(scope);
        variables.forEach((name, value) -> scope.set(name, importValue(value)));
        return new Interpreter(budget).run(statements, scope);
    }

    private static Object importValue(@Nullable Object value) {
        return switch (value) {
            case null -> None.NONE;
            case Integer number -> (long) number;
            case List<?> list -> list.stream().map(Template::importValue).toList();
            case Map<?, ?> map -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, item) -> copy.put(key, importValue(item)));
                yield Collections.unmodifiableMap(copy);
            }
            case Boolean _, Long _, Double _, String _ -> value;
            default -> throw new IllegalArgumentException("value=" + value.getClass() + ", expected=a JSON-like value");
        };
    }
}
