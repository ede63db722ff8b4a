package io.millrace.llm.gguf;

import java.util.Optional;

/** Element types of GGUF tensors, with ggml's names and ids. A row is made of whole blocks. */
public enum GgmlType {
    F32(0, 1, 4, Support.READABLE),
    F16(1, 1, 2, Support.READABLE),
    Q4_0(2, 32, 18, Support.READABLE),
    Q4_1(3, 32, 20, Support.READABLE),
    Q5_0(6, 32, 22, Support.KNOWN),
    Q5_1(7, 32, 24, Support.KNOWN),
    Q8_0(8, 32, 34, Support.READABLE),
    Q8_1(9, 32, 40, Support.KNOWN),
    Q2_K(10, 256, 84, Support.KNOWN),
    Q3_K(11, 256, 110, Support.KNOWN),
    Q4_K(12, 256, 144, Support.KNOWN),
    Q5_K(13, 256, 176, Support.KNOWN),
    Q6_K(14, 256, 210, Support.KNOWN),
    Q8_K(15, 256, 292, Support.KNOWN),
    IQ2_XXS(16, 256, 66, Support.KNOWN),
    IQ2_XS(17, 256, 74, Support.KNOWN),
    IQ3_XXS(18, 256, 98, Support.KNOWN),
    IQ1_S(19, 256, 50, Support.KNOWN),
    IQ4_NL(20, 32, 18, Support.KNOWN),
    IQ3_S(21, 256, 110, Support.KNOWN),
    IQ2_S(22, 256, 82, Support.KNOWN),
    IQ4_XS(23, 256, 136, Support.KNOWN),
    I8(24, 1, 1, Support.KNOWN),
    I16(25, 1, 2, Support.KNOWN),
    I32(26, 1, 4, Support.KNOWN),
    I64(27, 1, 8, Support.KNOWN),
    F64(28, 1, 8, Support.KNOWN),
    IQ1_M(29, 256, 56, Support.KNOWN),
    BF16(30, 1, 2, Support.READABLE),
    TQ1_0(34, 256, 54, Support.KNOWN),
    TQ2_0(35, 256, 66, Support.KNOWN),
    MXFP4(39, 32, 17, Support.KNOWN),
    NVFP4(40, 64, 36, Support.KNOWN),
    Q1_0(41, 128, 18, Support.KNOWN);

    /** The types that {@link Dequantizer} reads, for messages. */
    public static final String READABLE_NAMES = "F32, F16, BF16, Q4_0, Q4_1, Q8_0";

    private enum Support {
        READABLE,
        KNOWN
    }

    private final int id;
    private final int blockSize;
    private final int bytesPerBlock;
    private final Support support;

    GgmlType(int id, int blockSize, int bytesPerBlock, Support support) {
        this.id = id;
        this.blockSize = blockSize;
        this.bytesPerBlock = bytesPerBlock;
        this.support = support;
    }

    /** The number that stands for this type in a file. */
    public int id() {
        return id;
    }

    /** Elements per block, ≥ 1. */
    public int blockSize() {
        return blockSize;
    }

    /** Bytes per block, ≥ 1. */
    public int bytesPerBlock() {
        return bytesPerBlock;
    }

    /** Whether {@link Dequantizer} can read it. */
    public boolean readable() {
        return support == Support.READABLE;
    }

    /** Bytes of {@code elements} elements, which must be whole blocks. */
    public long bytesOf(long elements) {
        if (elements < 0 || elements % blockSize != 0) {
            throw new IllegalArgumentException(
                    "elements=" + elements + ", expected=a multiple of the block size " + blockSize + " of " + this);
        }
        return Math.multiplyExact(elements / blockSize, bytesPerBlock);
    }

    /** The type with this id; empty where ggml has none, or has one since this was written. */
    static Optional<GgmlType> byId(int id) {
        for (GgmlType type : values()) {
            if (type.id == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
