package io.millrace.streams.config;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * <code>${VARIABLE}</code> and <code>${VARIABLE:-default}</code> in values; a doubled dollar sign before the brace takes away its
 * meaning. Kafka's own <code>${provider:path:key}</code> is left as it is.
 */
final class EnvironmentVariables {
    private static final Pattern REFERENCE =
            Pattern.compile("\\$\\$\\{|\\$\\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?<fallback>[^}]*))?}");

    private final Map<String, String> environment;

    EnvironmentVariables(Map<String, String> environment) {
        this.environment = environment;
    }

    /** A variable that is not set, and no default for it. */
    static final class NotSet extends Exception {
        private static final long serialVersionUID = 1;

        private NotSet(String variable) {
            super("environment variable " + variable + " is not set, expected=a value, or ${" + variable
                    + ":-default}");
        }
    }

    String resolve(String text) throws NotSet {
        if (!text.contains("${")) {
            return text;
        }
        StringBuilder resolved = new StringBuilder();
        Matcher references = REFERENCE.matcher(text);
        while (references.find()) {
            String name = references.group("name");
            String value = name == null ? "${" : valueOf(name, references.group("fallback"));
            references.appendReplacement(resolved, Matcher.quoteReplacement(value));
        }
        return references.appendTail(resolved).toString();
    }

    private String valueOf(String name, @Nullable String fallback) throws NotSet {
        String value = environment.get(name);
        if (value != null && !(value.isEmpty() && fallback != null)) {
            return value;
        }
        if (fallback == null) {
            throw new NotSet(name);
        }
        return fallback;
    }
}
