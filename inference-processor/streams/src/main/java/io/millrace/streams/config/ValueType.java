package io.millrace.streams.config;

import io.millrace.modelstore.ModelSource;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a scalar may be: how it is read, and what is said when it is something else. */
sealed interface ValueType {

    /** Reads a scalar's text. */
    Object parse(String text) throws NotOfType;

    /** What may be written, for messages and the reference. */
    String expected();

    /** The text is not of this type. The message is what was expected. */
    final class NotOfType extends Exception {
        private static final long serialVersionUID = 1;

        private final boolean isSecret;

        private NotOfType(String expected) {
            this(expected, false);
        }

        private NotOfType(String expected, boolean isSecret) {
            super(expected);
            this.isSecret = isSecret;
        }

        /** Whether the text may be a secret, which no message repeats. */
        boolean isSecret() {
            return isSecret;
        }
    }

    /** A whole number, read as a {@link Long}. */
    record Whole(long min, long max) implements ValueType {
        private static final Pattern FORM = Pattern.compile("[+-]?\\d{1,18}");

        @Override
        public Long parse(String text) throws NotOfType {
            if (!FORM.matcher(text).matches()) {
                throw new NotOfType(expected());
            }
            long value = Long.parseLong(text);
            if (value < min || value > max) {
                throw new NotOfType(expected());
            }
            return value;
        }

        @Override
        public String expected() {
            return max == Integer.MAX_VALUE ? min + " or more" : min + " to " + max;
        }
    }

    /** A decimal number, read as a {@link Double}. */
    record Decimal(double min, boolean aboveMin, double max) implements ValueType {
        private static final Pattern FORM = Pattern.compile("[+-]?(\\d{1,15}(\\.\\d{0,15})?|\\.\\d{1,15})");

        @Override
        public Double parse(String text) throws NotOfType {
            if (!FORM.matcher(text).matches()) {
                throw new NotOfType(expected());
            }
            double value = Double.parseDouble(text);
            if (value < min || value > max || (aboveMin && value == min)) {
                throw new NotOfType(expected());
            }
            return value;
        }

        @Override
        public String expected() {
            return aboveMin ? "above " + plain(min) + ", to " + plain(max) : plain(min) + " to " + plain(max);
        }

        private static String plain(double value) {
            return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
        }
    }

    /** A number of bytes, read as a {@link Long}: a plain number, or one with a unit. */
    record Bytes(long min, long max) implements ValueType {
        static final String FORM = "(\\d{1,15}(?:\\.\\d{1,6})?) ?(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)?";
        private static final Pattern PATTERN = Pattern.compile(FORM);
        private static final Map<String, Long> UNITS = Map.of(
                "B",
                1L,
                "KiB",
                1L << 10,
                "MiB",
                1L << 20,
                "GiB",
                1L << 30,
                "TiB",
                1L << 40,
                "KB",
                1_000L,
                "MB",
                1_000_000L,
                "GB",
                1_000_000_000L,
                "TB",
                1_000_000_000_000L);

        @Override
        public Long parse(String text) throws NotOfType {
            Matcher parts = PATTERN.matcher(text);
            if (!parts.matches()) {
                throw new NotOfType(expected());
            }
            long unit = parts.group(2) == null ? 1 : UNITS.getOrDefault(parts.group(2), 1L);
            BigDecimal bytes = new BigDecimal(parts.group(1)).multiply(BigDecimal.valueOf(unit));
            if (bytes.stripTrailingZeros().scale() > 0
                    || bytes.compareTo(BigDecimal.valueOf(min)) < 0
                    || bytes.compareTo(BigDecimal.valueOf(max)) > 0) {
                throw new NotOfType(expected());
            }
            return bytes.longValueExact();
        }

        @Override
        public String expected() {
            return "a size of " + show(min) + " to " + show(max) + ", such as 64KiB, 256MiB or 2GiB";
        }

        /** In the largest unit that divides it. */
        static String show(long bytes) {
            for (String unit : List.of("TiB", "GiB", "MiB", "KiB")) {
                long factor = UNITS.getOrDefault(unit, 1L);
                if (bytes != 0 && bytes % factor == 0) {
                    return bytes / factor + unit;
                }
            }
            return bytes + "B";
        }
    }

    /** A time, read as a {@link Duration}: a whole number with a unit. */
    record Time(Duration min, Duration max) implements ValueType {
        static final String FORM = "(\\d{1,9}) ?(ms|s|m|h|d)";
        private static final Pattern PATTERN = Pattern.compile(FORM);

        @Override
        public Duration parse(String text) throws NotOfType {
            Matcher parts = PATTERN.matcher(text);
            if (!parts.matches()) {
                throw new NotOfType(expected());
            }
            Duration value = times(Long.parseLong(parts.group(1)), parts.group(2));
            if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
                throw new NotOfType(expected());
            }
            return value;
        }

        private static Duration times(long number, String unit) {
            return switch (unit) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }

        @Override
        public String expected() {
            return "a time of " + show(min) + " to " + show(max) + ", such as 100ms, 30s or 5m";
        }

        /** In the largest unit that divides it. */
        static String show(Duration time) {
            long ms = time.toMillis();
            if (ms == 0 || ms % 1_000 != 0) {
                return ms + "ms";
            }
            long s = ms / 1_000;
            return s % 3_600 == 0 ? s / 3_600 + "h" : s % 60 == 0 ? s / 60 + "m" : s + "s";
        }
    }

    /** A switch, read as a {@link Boolean}. */
    record Bool() implements ValueType {
        @Override
        public Boolean parse(String text) throws NotOfType {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw new NotOfType(expected());
            };
        }

        @Override
        public String expected() {
            return "true or false";
        }
    }

    /** One of some words. */
    record Choice(List<String> words) implements ValueType {
        @Override
        public String parse(String text) throws NotOfType {
            if (!words.contains(text)) {
                throw new NotOfType(expected() + Suggestion.among(words, text));
            }
            return text;
        }

        @Override
        public String expected() {
            return words.size() == 1 ? words.getFirst() : "one of " + String.join(", ", words);
        }
    }

    /** A text of some form. */
    record Text(String form, String expected) implements ValueType {
        @Override
        public String parse(String text) throws NotOfType {
            if (!Pattern.matches(form, text)) {
                throw new NotOfType(expected);
            }
            return text;
        }
    }

    /** An address of a server, read as a {@link URI}. */
    record Url(List<String> schemes) implements ValueType {
        private static final int MAX_PORT = 65_535;

        @Override
        public URI parse(String text) throws NotOfType {
            URI url;
            try {
                url = new URI(text);
            } catch (URISyntaxException e) {
                throw new NotOfType(expected(), text.contains("@"));
            }
            if (url.getRawUserInfo() != null || (url.getHost() == null && text.contains("@"))) {
                throw new NotOfType("an address without user and password: headers have a place for secrets", true);
            }
            String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
            if (!schemes.contains(scheme) || url.getHost() == null || url.getRawFragment() != null) {
                boolean underscore =
                        url.getRawAuthority() != null && url.getRawAuthority().contains("_");
                throw new NotOfType(expected() + (underscore ? ", and no '_' in HOST" : ""));
            }
            if (url.getPort() == 0 || url.getPort() > MAX_PORT) {
                throw new NotOfType("a port of 1 to " + MAX_PORT);
            }
            return url;
        }

        @Override
        public String expected() {
            return schemes.stream().map(scheme -> scheme + "://HOST").collect(Collectors.joining(" or "));
        }
    }

    /** Where a secret is found, read as a text: the secret itself never stands in the file. */
    record SecretPlace() implements ValueType {
        static final String FORM = "env:[A-Za-z_][A-Za-z0-9_]*|file:.+";

        @Override
        public String parse(String text) throws NotOfType {
            if (!Pattern.matches(FORM, text)) {
                throw new NotOfType(expected(), true);
            }
            return text;
        }

        @Override
        public String expected() {
            return "env:VARIABLE or file:PATH, where the secret is; the secret itself does not belong into this file";
        }
    }

    /** A function, linear between points, read as a {@link Curve}. */
    record Linear() implements ValueType {
        static final String FORM = "[0-9.]+ *: *[0-9.]+( *, *[0-9.]+ *: *[0-9.]+)*";

        @Override
        public Curve parse(String text) throws NotOfType {
            try {
                return Curve.parse(text);
            } catch (IllegalArgumentException e) {
                throw new NotOfType(expected());
            }
        }

        @Override
        public String expected() {
            return "VALUE:FRACTION, VALUE:FRACTION, …, rising values from 0, fractions of 0 to 1, such as '0:1, 4:0.5, 8:0'";
        }
    }

    /** Where a model's file comes from, read as a {@link ModelSource}. */
    record Source() implements ValueType {
        @Override
        public ModelSource parse(String text) throws NotOfType {
            try {
                return ModelSource.parse(text);
            } catch (IllegalArgumentException e) {
                String message = String.valueOf(e.getMessage());
                int expected = message.indexOf(", expected=");
                throw new NotOfType(
                        expected < 0 ? ModelSource.FORMS : message.substring(expected + ", expected=".length()));
            }
        }

        @Override
        public String expected() {
            return ModelSource.FORMS;
        }
    }
}
