package io.millrace.streams.config;

import java.util.List;
import java.util.Optional;

/**
 * One key of the file: all that the reader, the JSON Schema and the reference say of it.
 *
 * @param name as it is written
 * @param shape what stands behind it
 * @param fallback what holds without it
 * @param unit of the value, empty if it has none or carries it
 * @param doc what it does, one or two sentences
 */
record Key(String name, Shape shape, Fallback fallback, String unit, String doc) {

    /** What stands behind a key. */
    sealed interface Shape {}

    /** A single value. */
    record Scalar(ValueType type) implements Shape {}

    /** A mapping with keys of its own. */
    record Section(List<Key> keys) implements Shape {
        Section {
            keys = List.copyOf(keys);
        }

        Optional<Key> find(String name) {
            return keys.stream().filter(key -> key.name().equals(name)).findFirst();
        }

        List<String> names() {
            return keys.stream().map(Key::name).toList();
        }
    }

    /** A mapping from names that the user chooses to sections. */
    record NamedSections(String nameOf, Section section) implements Shape {}

    /** A mapping from names that others define to scalars. */
    record Properties() implements Shape {}

    /** A mapping from names that the user chooses to scalars of one type. */
    record NamedValues(String nameOf, ValueType type) implements Shape {}

    /** A mapping of anything, as JSON has it; it is passed on. */
    record Json() implements Shape {}

    /** What holds when the key is absent. */
    sealed interface Fallback {}

    /** A value, as it would be written, and why it is this one. */
    record Fixed(String text, String why) implements Fallback {}

    /** A value found at start-up. */
    record Derived(String how) implements Fallback {}

    static Key of(String name, ValueType type, Fallback fallback, String unit, String doc) {
        return new Key(name, new Scalar(type), fallback, unit, doc);
    }

    static Key section(String name, String doc, List<Key> keys) {
        return new Key(name, new Section(keys), new Derived("each key's default"), "", doc);
    }
}
