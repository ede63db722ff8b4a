package io.millrace.llm.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads one metadata value into a Java object: Long (every integer type; UINT64 above 2^63-1 is refused), Double, Boolean, String, or for arrays
 * long[], double[], List of String, List of Boolean.
 */
final class GgufValueReader {

    /** Longest array accepted: the largest real ones are vocabularies and merges of under a million. */
    static final int MAX_ARRAY_LENGTH = 1 << 24;

    private final HeaderReader in;

    GgufValueReader(HeaderReader in) {
        this.in = in;
    }

    Object read(String key) throws GgufException {
        GgufValueType type = readType("type of " + key);
        return type == GgufValueType.ARRAY ? readArray(key) : readScalar(type, key);
    }

    private GgufValueType readType(String what) throws GgufException {
        long start = in.position();
        int id = in.readInt(what);
        GgufValueType type = GgufValueType.byId(id).orElse(null);
        if (type == null) {
            throw in.failure(start, what + " between 0 and 12", Integer.toUnsignedString(id));
        }
        return type;
    }

    private Object readScalar(GgufValueType type, String key) throws GgufException {
        return switch (type) {
            case UINT8 -> (long) Byte.toUnsignedInt(in.readByte(key));
            case INT8 -> (long) in.readByte(key);
            case UINT16 -> (long) Short.toUnsignedInt(in.readShort(key));
            case INT16 -> (long) in.readShort(key);
            case UINT32 -> Integer.toUnsignedLong(in.readInt(key));
            case INT32 -> (long) in.readInt(key);
            case UINT64 -> readUnsignedLong(key);
            case INT64 -> in.readLong(key);
            case FLOAT32 -> (double) Float.intBitsToFloat(in.readInt(key));
            case FLOAT64 -> Double.longBitsToDouble(in.readLong(key));
            case BOOL -> readBool(key);
            case STRING -> in.readString(key);
            case ARRAY -> throw new IllegalStateException("arrays are not scalars");
        };
    }

    private long readUnsignedLong(String key) throws GgufException {
        long start = in.position();
        long value = in.readLong(key);
        if (value < 0) {
            throw in.failure(start, key + " below 2^63", Long.toUnsignedString(value));
        }
        return value;
    }

    private boolean readBool(String key) throws GgufException {
        long start = in.position();
        byte value = in.readByte(key);
        if (value != 0 && value != 1) {
            throw in.failure(start, key + " as a boolean, 0 or 1", "" + value);
        }
        return value == 1;
    }

    private Object readArray(String key) throws GgufException {
        long start = in.position();
        GgufValueType type = readType("element type of " + key);
        if (type == GgufValueType.ARRAY) {
            throw in.failure(start, key + " as an array of plain values", "an array of arrays");
        }
        int count = in.readCount("length of array " + key, type.minBytes, MAX_ARRAY_LENGTH);
        return switch (type) {
            case STRING -> readStrings(key, count);
            case BOOL -> readBools(key, count);
            case FLOAT32, FLOAT64 -> readDoubles(type, key, count);
            default -> readLongs(type, key, count);
        };
    }

    private List<String> readStrings(String key, int count) throws GgufException {
        List<String> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(in.readString(key));
        }
        return Collections.unmodifiableList(values);
    }

    private List<Boolean> readBools(String key, int count) throws GgufException {
        List<Boolean> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(readBool(key));
        }
        return Collections.unmodifiableList(values);
    }

    private double[] readDoubles(GgufValueType type, String key, int count) throws GgufException {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = (Double) readScalar(type, key);
        }
        return values;
    }

    private long[] readLongs(GgufValueType type, String key, int count) throws GgufException {
        if (type == GgufValueType.INT32) {
            return readInts(key, count);
        }
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = (Long) readScalar(type, key);
        }
        return values;
    }

    /** The common case, token types of a vocabulary, without boxing. */
    private long[] readInts(String key, int count) throws GgufException {
        MemorySegment bytes = in.slice((long) count * Integer.BYTES, key);
        ValueLayout.OfInt layout = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = bytes.get(layout, (long) i * Integer.BYTES);
        }
        return values;
    }
}
