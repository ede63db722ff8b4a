package io.millrace.llm.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Packed tensor bytes to floats, bit-exactly as ggml's reference does. Plain loops: the truth that fast kernels are tested against.
 *
 * <p>Blocks (little endian, f16 scales, 32 elements): Q4_0 {@code d, 16 bytes of nibbles}: {@code d * (q - 8)}; Q4_1 {@code d, m, 16 bytes of
 * nibbles}: {@code d * q + m}; Q8_0 {@code d, 32 signed bytes}: {@code d * q}. Byte i of the nibbles holds element i low, element i + 16 high.
 */
public final class Dequantizer {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BLOCK = 32;
    private static final int HALF_BLOCK = BLOCK / 2;

    private Dequantizer() {}

    /**
     * Unpacks {@code count} elements from {@code data} at {@code byteOffset} to {@code dst[dstFrom...]}.
     *
     * @param byteOffset start of a block
     * @param count elements; a multiple of the type's block size
     * @throws IllegalArgumentException for a type that is not {@linkplain GgmlType#readable readable}, or a count of broken blocks
     * @throws IndexOutOfBoundsException where data or dst is too short
     */
    public static void dequantize(
            GgmlType type, MemorySegment data, long byteOffset, float[] dst, int dstFrom, int count) {
        Objects.checkFromIndexSize(dstFrom, count, dst.length);
        Objects.checkFromIndexSize(byteOffset, type.bytesOf(count), data.byteSize());
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, byteOffset, dst, dstFrom, count);
            case F16 -> f16(data, byteOffset, dst, dstFrom, count);
            case BF16 -> bf16(data, byteOffset, dst, dstFrom, count);
            case Q4_0 -> q4_0(data, byteOffset, dst, dstFrom, count / BLOCK);
            case Q4_1 -> q4_1(data, byteOffset, dst, dstFrom, count / BLOCK);
            case Q8_0 -> q8_0(data, byteOffset, dst, dstFrom, count / BLOCK);
            default -> throw new IllegalArgumentException("type=" + type + ", expected=" + GgmlType.READABLE_NAMES);
        }
    }

    private static void f16(MemorySegment data, long from, float[] dst, int dstFrom, int count) {
        for (int i = 0; i < count; i++) {
            dst[dstFrom + i] = half(data, from + 2L * i);
        }
    }

    private static void bf16(MemorySegment data, long from, float[] dst, int dstFrom, int count) {
        for (int i = 0; i < count; i++) {
            dst[dstFrom + i] = Float.intBitsToFloat(data.get(SHORT, from + 2L * i) << 16);
        }
    }

    private static void q4_0(MemorySegment data, long from, float[] dst, int dstFrom, int blockCount) {
        for (int b = 0; b < blockCount; b++) {
            long block = from + (long) b * GgmlType.Q4_0.bytesPerBlock();
            float d = half(data, block);
            int to = dstFrom + b * BLOCK;
            for (int i = 0; i < HALF_BLOCK; i++) {
                int nibbles = data.get(ValueLayout.JAVA_BYTE, block + 2 + i);
                dst[to + i] = d * ((nibbles & 0xF) - 8);
                dst[to + i + HALF_BLOCK] = d * ((nibbles >> 4 & 0xF) - 8);
            }
        }
    }

    private static void q4_1(MemorySegment data, long from, float[] dst, int dstFrom, int blockCount) {
        for (int b = 0; b < blockCount; b++) {
            long block = from + (long) b * GgmlType.Q4_1.bytesPerBlock();
            float d = half(data, block);
            float m = half(data, block + 2);
            int to = dstFrom + b * BLOCK;
            for (int i = 0; i < HALF_BLOCK; i++) {
                int nibbles = data.get(ValueLayout.JAVA_BYTE, block + 4 + i);
                dst[to + i] = d * (nibbles & 0xF) + m;
                dst[to + i + HALF_BLOCK] = d * (nibbles >> 4 & 0xF) + m;
            }
        }
    }

    private static void q8_0(MemorySegment data, long from, float[] dst, int dstFrom, int blockCount) {
        for (int b = 0; b < blockCount; b++) {
            long block = from + (long) b * GgmlType.Q8_0.bytesPerBlock();
            float d = half(data, block);
            for (int i = 0; i < BLOCK; i++) {
                dst[dstFrom + b * BLOCK + i] = d * data.get(ValueLayout.JAVA_BYTE, block + 2 + i);
            }
        }
    }

    private static float half(MemorySegment data, long offset) {
        return Float.float16ToFloat(data.get(SHORT, offset));
    }
}
