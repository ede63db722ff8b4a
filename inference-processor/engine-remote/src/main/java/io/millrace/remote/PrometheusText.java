package io.millrace.remote;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;

/** Prometheus' text format, as far as one metric needs it. */
final class PrometheusText {

    private PrometheusText() {}

    /**
     * The sum over a metric's series; empty where there is none.
     *
     * @param signal its name, and perhaps labels that the series must have: {@code name{label="value"}}
     */
    static OptionalDouble sum(String text, String signal) {
        int brace = signal.indexOf('{');
        String metric = brace < 0 ? signal : signal.substring(0, brace);
        Map<String, String> wanted = brace < 0 ? Map.of() : labels(signal.substring(brace));
        double sum = 0;
        boolean found = false;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            if (line.startsWith(metric)) {
                OptionalDouble value = value(line.substring(metric.length()), wanted);
                found |= value.isPresent();
                sum += value.orElse(0);
            }
        }
        return found ? OptionalDouble.of(sum) : OptionalDouble.empty();
    }

    /** Of a sample without its name: labels, the value, and perhaps a time. */
    private static OptionalDouble value(String rest, Map<String, String> wanted) {
        boolean hasLabels = rest.startsWith("{");
        if (!hasLabels && (rest.isEmpty() || !Character.isWhitespace(rest.charAt(0)))) {
            // a longer name
            return OptionalDouble.empty();
        }
        int end = hasLabels ? endOfLabels(rest) : 0;
        if (!wanted.isEmpty() && !labels(rest.substring(0, end)).entrySet().containsAll(wanted.entrySet())) {
            return OptionalDouble.empty();
        }
        // a time may follow
        String number = rest.substring(end).strip().replaceFirst("\\s.*", "");
        try {
            double value = Double.parseDouble(number.replace("Inf", "Infinity"));
            return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
    }

    /** Of {@code {name="value",…}}, or none. */
    private static Map<String, String> labels(String text) {
        Map<String, String> labels = new HashMap<>();
        int at = 1;
        for (int equals = text.indexOf("=\"", at); equals >= 0; equals = text.indexOf("=\"", at)) {
            String name = text.substring(at, equals).replace(',', ' ').strip();
            StringBuilder value = new StringBuilder();
            at = equals + 2;
            while (at < text.length() && text.charAt(at) != '"') {
                if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                    at++;
                }
                value.append(text.charAt(at));
                at++;
            }
            labels.put(name, value.toString());
            at = Math.min(at + 1, text.length());
        }
        return labels;
    }

    /** After the brace that closes the labels: braces may stand in quoted values. */
    private static int endOfLabels(String rest) {
        boolean quoted = false;
        for (int i = 1; i < rest.length(); i++) {
            char c = rest.charAt(i);
            if (quoted && c == '\\') {
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == '}' && !quoted) {
                return i + 1;
            }
        }
        return rest.length();
    }
}
