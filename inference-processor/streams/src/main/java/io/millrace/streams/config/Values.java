package io.millrace.streams.config;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One section as it was read: typed values, each key's default where it was absent, and where in the file they stand. */
final class Values {
    private final Key.Section section;
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Set<String> wrong = new HashSet<>();
    private final Place place;

    Values(Key.Section section) {
        this(section, Place.WHOLE_FILE);
    }

    Values(Key.Section section, Place place) {
        this.section = section;
        this.place = place;
    }

    void put(String name, Object value, Place at) {
        values.put(name, value);
        places.put(name, at);
    }

    /** The key is there and its value or its spelling is wrong, which has been told: what else depends on it is not checked. */
    void markWrong(String name) {
        wrong.add(name);
    }

    /** Whether none of these keys has a wrong value, or a wrong spelling. */
    boolean areSound(String... names) {
        return Arrays.stream(names).noneMatch(wrong::contains);
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    /** Where the key's value stands; the section's place if the key is absent. */
    Place place(String name) {
        return places.getOrDefault(name, place);
    }

    String text(String name) {
        return (String) get(name);
    }

    Optional<String> optionalText(String name) {
        return Optional.ofNullable((String) find(name));
    }

    int integer(String name) {
        return Math.toIntExact((Long) get(name));
    }

    OptionalInt optionalInteger(String name) {
        Object value = find(name);
        return value == null ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact((Long) value));
    }

    long bytes(String name) {
        return (Long) get(name);
    }

    OptionalLong optionalBytes(String name) {
        Object value = find(name);
        return value == null ? OptionalLong.empty() : OptionalLong.of((Long) value);
    }

    double decimal(String name) {
        return (Double) get(name);
    }

    boolean bool(String name) {
        return (Boolean) get(name);
    }

    Duration duration(String name) {
        return (Duration) get(name);
    }

    <T> Optional<T> optional(String name, Class<T> type) {
        return Optional.ofNullable(type.cast(find(name)));
    }

    Values section(String name) {
        Object value = values.get(name);
        return value == null ? new Values((Key.Section) key(name).shape(), place) : (Values) value;
    }

    /** Sections by the user's names. */
    Map<String, Values> sections(String name) {
        Map<String, Values> sections = new LinkedHashMap<>();
        each(name, (key, value) -> sections.put(key, (Values) value));
        return sections;
    }

    /** Scalars by others' names. */
    Map<String, String> properties(String name) {
        Map<String, String> properties = new LinkedHashMap<>();
        each(name, (key, value) -> properties.put(key, (String) value));
        return properties;
    }

    /** Values of one type by the user's names. */
    <T> Map<String, T> named(String name, Class<T> type) {
        Map<String, T> named = new LinkedHashMap<>();
        each(name, (key, value) -> named.put(key, type.cast(value)));
        return named;
    }

    /** A mapping that is passed on as it is. */
    Map<String, Object> json(String name) {
        return values.get(name) instanceof JsonTree tree ? tree.members() : Map.of();
    }

    /** Where a property, a named section or a member stands. */
    Place placeIn(String name, String entry) {
        return switch (values.get(name)) {
            case Entries entries -> entries.places.getOrDefault(entry, place);
            case JsonTree tree -> tree.places.getOrDefault(entry, place);
            case null, default -> place;
        };
    }

    private void each(String name, BiConsumer<String, Object> consumer) {
        key(name);
        if (values.get(name) instanceof Entries entries) {
            entries.values.forEach(consumer);
        }
    }

    private Object get(String name) {
        Object value = find(name);
        if (value == null) {
            throw new AssertionError("key " + name + " has no default: read it as an optional one");
        }
        return value;
    }

    private @Nullable Object find(String name) {
        Object value = values.get(name);
        return value == null ? defaultOf(key(name)) : value;
    }

    private Key key(String name) {
        return section.find(name).orElseThrow(() -> new AssertionError("no key " + name + " in " + section.names()));
    }

    private static @Nullable Object defaultOf(Key key) {
        if (!(key.fallback() instanceof Key.Fixed fixed) || !(key.shape() instanceof Key.Scalar scalar)) {
            return null;
        }
        try {
            return scalar.type().parse(fixed.text());
        } catch (ValueType.NotOfType e) {
            throw new AssertionError("default of " + key.name() + " is wrong", e);
        }
    }

    /** A mapping of anything, and where its members stand. */
    record JsonTree(Map<String, Object> members, Map<String, Place> places) {}

    /** A mapping whose names are the user's, or others'. */
    static final class Entries {
        private final Map<String, Object> values = new LinkedHashMap<>();
        private final Map<String, Place> places = new LinkedHashMap<>();

        void put(String name, Object value, Place at) {
            values.put(name, value);
            places.put(name, at);
        }
    }
}
