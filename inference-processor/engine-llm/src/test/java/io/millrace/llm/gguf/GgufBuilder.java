package io.millrace.llm.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small GGUF files for tests. Values keep the order in which they are added. */
public final class GgufBuilder {

    private record Tensor(String name, GgmlType type, long[] shape, byte[] data) {}

    private final List<byte[]> metadata = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private int version = 3;
    private int alignment = 32;

    public GgufBuilder version(int value) {
        version = value;
        return this;
    }

    /** Sets the alignment and its metadata key. */
    public GgufBuilder alignment(int value) {
        alignment = value;
        return uint32("general.alignment", value);
    }

    public GgufBuilder string(String key, String value) {
        return entry(key, GgufValueType.STRING, encode(value));
    }

    public GgufBuilder uint32(String key, int value) {
        return entry(key, GgufValueType.UINT32, ints(value));
    }

    public GgufBuilder uint64(String key, long value) {
        return entry(key, GgufValueType.UINT64, longs(value));
    }

    public GgufBuilder float32(String key, float value) {
        return entry(key, GgufValueType.FLOAT32, ints(Float.floatToRawIntBits(value)));
    }

    public GgufBuilder bool(String key, boolean value) {
        return entry(key, GgufValueType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    public GgufBuilder strings(String key, List<String> values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.STRING, values.size());
        values.forEach(value -> out.writeBytes(encode(value)));
        return entry(key, GgufValueType.ARRAY, out.toByteArray());
    }

    public GgufBuilder int32s(String key, int... values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.INT32, values.length);
        out.writeBytes(ints(values));
        return entry(key, GgufValueType.ARRAY, out.toByteArray());
    }

    public GgufBuilder float32s(String key, float... values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.FLOAT32, values.length);
        for (float value : values) {
            out.writeBytes(ints(Float.floatToRawIntBits(value)));
        }
        return entry(key, GgufValueType.ARRAY, out.toByteArray());
    }

    /** Any value, as raw bytes behind the key: its type id and what follows. */
    GgufBuilder raw(String key, byte[] typeAndValue) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(encode(key));
        out.writeBytes(typeAndValue);
        metadata.add(out.toByteArray());
        return this;
    }

    public GgufBuilder tensor(String name, GgmlType type, long[] shape, byte[] data) {
        tensors.add(new Tensor(name, type, shape, data));
        return this;
    }

    public GgufBuilder f32(String name, long[] shape, float... data) {
        ByteBuffer bytes = ByteBuffer.allocate(data.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(data);
        return tensor(name, GgmlType.F32, shape, bytes.array());
    }

    /** The file up to the tensors' data, without the padding before it. */
    byte[] header() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(ints(version));
        out.writeBytes(longs(tensors.size(), metadata.size()));
        metadata.forEach(out::writeBytes);
        long offset = 0;
        for (Tensor tensor : tensors) {
            out.writeBytes(encode(tensor.name()));
            out.writeBytes(ints(tensor.shape().length));
            out.writeBytes(longs(tensor.shape()));
            out.writeBytes(ints(tensor.type().id()));
            out.writeBytes(longs(offset));
            offset += pad(tensor.data().length);
        }
        return out.toByteArray();
    }

    public byte[] build() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] header = header();
        out.writeBytes(header);
        out.writeBytes(new byte[(int) pad(header.length) - header.length]);
        for (Tensor tensor : tensors) {
            out.writeBytes(tensor.data());
            out.writeBytes(new byte[(int) pad(tensor.data().length) - tensor.data().length]);
        }
        return out.toByteArray();
    }

    public Path write(Path file) throws IOException {
        return Files.write(file, build());
    }

    static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return bytes.array();
    }

    static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return bytes.array();
    }

    private GgufBuilder entry(String key, GgufValueType type, byte[] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ints(type.id));
        out.writeBytes(value);
        return raw(key, out.toByteArray());
    }

    private static ByteArrayOutputStream arrayHead(GgufValueType type, int length) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ints(type.id));
        out.writeBytes(longs(length));
        return out;
    }

    private static byte[] encode(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(longs(utf8.length));
        out.writeBytes(utf8);
        return out.toByteArray();
    }

    private long pad(long size) {
        return Math.ceilDiv(size, (long) alignment) * alignment;
    }
}
