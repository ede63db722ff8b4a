package io.millrace.llm.backend;

import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Random weights of every type, with values around {@code scale}. */
public final class RandomTensors {

    private RandomTensors() {}

    public static GgufTensor matrix(GgmlType type, int rows, int columns, float scale, Random random) {
        return tensor("matrix", type, new long[] {columns, rows}, scale, random);
    }

    public static GgufTensor vector(int length, float scale, Random random) {
        return tensor("vector", GgmlType.F32, new long[] {length}, scale, random);
    }

    public static GgufTensor tensor(String name, GgmlType type, long[] shape, float scale, Random random) {
        return new GgufTensor(name, type, shape, MemorySegment.ofArray(bytes(type, shape, scale, random)));
    }

    /** The packed bytes of such a tensor. */
    public static byte[] bytes(GgmlType type, long[] shape, float scale, Random random) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) type.bytesOf(count)).order(ByteOrder.LITTLE_ENDIAN);
        for (long block = 0; block < count / type.blockSize(); block++) {
            put(bytes, type, scale, random);
        }
        return bytes.array();
    }

    private static void put(ByteBuffer bytes, GgmlType type, float scale, Random random) {
        float value = scale * (float) random.nextGaussian();
        switch (type) {
            case F32 -> bytes.putFloat(value);
            case F16 -> bytes.putShort(Float.floatToFloat16(value));
            case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
            case Q4_0 -> putQuants(bytes.putShort(Float.floatToFloat16(value / 8)), 16, random);
            case Q4_1 -> {
                bytes.putShort(Float.floatToFloat16(value / 8));
                putQuants(bytes.putShort(Float.floatToFloat16(-value + scale / 10)), 16, random);
            }
            case Q8_0 -> putQuants(bytes.putShort(Float.floatToFloat16(value / 127)), 32, random);
            default -> throw new IllegalArgumentException("type=" + type);
        }
    }

    private static void putQuants(ByteBuffer bytes, int count, Random random) {
        byte[] quants = new byte[count];
        random.nextBytes(quants);
        bytes.put(quants);
    }
}
