package io.millrace.llm.gguf;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The key-value pairs of a file. Required getters throw {@link GgufException} where the key is missing; both forms throw it where the value has
 * another type, or does not fit. Immutable.
 */
public final class GgufMetadata {

    /** A value as {@link GgufValueReader} made it, and where its key starts in the file. */
    private record Entry(long offset, Object value) {}

    private final Path file;
    private final Map<String, Entry> entries;

    private GgufMetadata(Path file, Map<String, Entry> entries) {
        this.file = file;
        this.entries = entries;
    }

    static GgufMetadata read(Path file, HeaderReader in, int count) throws GgufException {
        GgufValueReader values = new GgufValueReader(in);
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            long start = in.position();
            String key = in.readString("metadata key " + i);
            if (entries.put(key, new Entry(start, values.read(key))) != null) {
                throw in.failure(start, "a metadata key once", "a second " + key);
            }
        }
        return new GgufMetadata(file, entries);
    }

    /** The file that this was read from, for messages. */
    public Path file() {
        return file;
    }

    /** All keys, in file order. */
    public Set<String> keys() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    public boolean contains(String key) {
        return entries.containsKey(key);
    }

    public String string(String key) throws GgufException {
        return require(key, String.class, "a string");
    }

    public Optional<String> findString(String key) throws GgufException {
        return find(key, String.class, "a string");
    }

    public int intValue(String key) throws GgufException {
        return toInt(key, require(key, Long.class, "an integer"));
    }

    public OptionalInt findInt(String key) throws GgufException {
        Optional<Long> value = find(key, Long.class, "an integer");
        return value.isPresent() ? OptionalInt.of(toInt(key, value.get())) : OptionalInt.empty();
    }

    public long longValue(String key) throws GgufException {
        return require(key, Long.class, "an integer");
    }

    public float floatValue(String key) throws GgufException {
        return require(key, Double.class, "a float").floatValue();
    }

    public OptionalDouble findFloat(String key) throws GgufException {
        Optional<Double> value = find(key, Double.class, "a float");
        return value.isPresent() ? OptionalDouble.of(value.get()) : OptionalDouble.empty();
    }

    public boolean bool(String key) throws GgufException {
        return require(key, Boolean.class, "a boolean");
    }

    public Optional<Boolean> findBool(String key) throws GgufException {
        return find(key, Boolean.class, "a boolean");
    }

    public List<String> strings(String key) throws GgufException {
        return asStrings(key, require(key, List.class, "an array of strings"));
    }

    public Optional<List<String>> findStrings(String key) throws GgufException {
        Optional<List<?>> value = find(key, List.class, "an array of strings").map(list -> (List<?>) list);
        return value.isPresent() ? Optional.of(asStrings(key, value.get())) : Optional.empty();
    }

    /** A copy of an integer array whose values fit {@code int}. */
    public int[] ints(String key) throws GgufException {
        return toInts(key, require(key, long[].class, "an array of integers"));
    }

    public Optional<int[]> findInts(String key) throws GgufException {
        Optional<long[]> value = find(key, long[].class, "an array of integers");
        return value.isPresent() ? Optional.of(toInts(key, value.get())) : Optional.empty();
    }

    /** A copy of a float array. */
    public float[] floats(String key) throws GgufException {
        return toFloats(require(key, double[].class, "an array of floats"));
    }

    public Optional<float[]> findFloats(String key) throws GgufException {
        return find(key, double[].class, "an array of floats").map(GgufMetadata::toFloats);
    }

    /** A value for people: strings and numbers as they are, arrays by their length. Empty for a missing key. */
    public String describe(String key) {
        Entry entry = entries.get(key);
        return switch (entry == null ? "" : entry.value()) {
            case List<?> list -> "[" + list.size() + " values]";
            case long[] array -> "[" + array.length + " integers]";
            case double[] array -> "[" + array.length + " floats]";
            case Object value -> value.toString();
        };
    }

    /** An error about this key's value: {@code expected} and {@code found} complete the message. */
    public GgufException failure(String key, String expected, String found) {
        Entry entry = entries.get(key);
        return new GgufException(file, entry == null ? 0 : entry.offset(), key + " as " + expected, found);
    }

    private <T> T require(String key, Class<T> type, String kind) throws GgufException {
        Optional<T> value = find(key, type, kind);
        if (value.isEmpty()) {
            throw failure(key, kind, "no such metadata key");
        }
        return value.get();
    }

    private <T> Optional<T> find(String key, Class<T> type, String kind) throws GgufException {
        Entry entry = entries.get(key);
        if (entry == null) {
            return Optional.empty();
        }
        if (!type.isInstance(entry.value())) {
            throw failure(key, kind, describe(key));
        }
        return Optional.of(type.cast(entry.value()));
    }

    private int toInt(String key, long value) throws GgufException {
        if (value != (int) value) {
            throw failure(key, "a 32-bit integer", "" + value);
        }
        return (int) value;
    }

    private int[] toInts(String key, long[] values) throws GgufException {
        int[] ints = new int[values.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = toInt(key, values[i]);
        }
        return ints;
    }

    private static float[] toFloats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    @SuppressWarnings(
            "unchecked") // the reader makes lists of one element type; a list of booleans is told by its first
    private List<String> asStrings(String key, List<?> values) throws GgufException {
        if (!values.isEmpty() && !(values.getFirst() instanceof String)) {
            throw failure(key, "an array of strings", "an array of booleans");
        }
        return (List<String>) values;
    }
}
