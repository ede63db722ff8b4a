package io.millrace.remote;

import java.util.OptionalDouble;

/** Prometheus' text format, as far as one metric needs it. */
final class PrometheusText {

    private PrometheusText() {}

    /** The sum over a metric's series; empty where there is none. */
    static OptionalDouble sum(String text, String metric) {
        double sum = 0;
        boolean found = false;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            if (line.startsWith(metric)) {
                OptionalDouble value = value(line.substring(metric.length()));
                found |= value.isPresent();
                sum += value.orElse(0);
            }
        }
        return found ? OptionalDouble.of(sum) : OptionalDouble.empty();
    }

    /** Of a sample without its name: labels, the value, and perhaps a time. */
    private static OptionalDouble value(String rest) {
        String afterLabels = rest;
        if (rest.startsWith("{")) {
            int end = endOfLabels(rest);
            afterLabels = rest.substring(end);
        } else if (rest.isEmpty() || !Character.isWhitespace(rest.charAt(0))) {
            // a longer name
            return OptionalDouble.empty();
        }
        // a time may follow
        String number = afterLabels.strip().replaceFirst("\\s.*", "");
        try {
            double value = Double.parseDouble(number.replace("Inf", "Infinity"));
            return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
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
