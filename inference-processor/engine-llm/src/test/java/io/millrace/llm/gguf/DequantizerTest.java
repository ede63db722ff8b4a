package io.millrace.llm.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bit for bit against PyPI's gguf: ops/golden/dequantize_goldens.py. */
class DequantizerTest {

    private static final int ROUND_ELEMENTS = 1 << 15;

    @ParameterizedTest
    @ValueSource(strings = {"Q4_0", "Q4_1", "Q8_0"})
    void shouldUnpackBlocksBitForBit(String name) throws IOException {
        JsonNode row = row(name);
        GgmlType type = GgmlType.valueOf(name);
        byte[] blocks = Base64.getDecoder().decode(row.get("blocks").textValue());
        byte[] expected = Base64.getDecoder().decode(row.get("floats").textValue());
        float[] floats = new float[expected.length / Float.BYTES];
        Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), 0, floats, 0, floats.length);
        assertThat(bytes(floats, floats.length)).isEqualTo(expected);
    }

    @Test
    void shouldUnpackFromAnyBlockToAnyPlace() throws IOException {
        byte[] blocks = Base64.getDecoder().decode(row("Q4_1").get("blocks").textValue());
        float[] all = new float[64];
        Dequantizer.dequantize(GgmlType.Q4_1, MemorySegment.ofArray(blocks), 20, all, 0, 64);
        float[] shifted = new float[40];
        Dequantizer.dequantize(GgmlType.Q4_1, MemorySegment.ofArray(blocks), 40, shifted, 8, 32);
        for (int i = 0; i < 32; i++) {
            assertThat(shifted[8 + i]).isEqualTo(all[32 + i]);
        }
        assertThat(shifted).startsWith(0, 0, 0, 0, 0, 0, 0, 0);
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void shouldWidenEveryFiniteHalf(GgmlType type) throws IOException {
        int infiniteExponent = type == GgmlType.F16 ? 0x7C00 : 0x7F80;
        ByteBuffer halves = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            if ((bits & infiniteExponent) != infiniteExponent) {
                halves.putShort((short) bits);
            }
        }
        float[] floats = new float[halves.position() / 2];
        Dequantizer.dequantize(type, MemorySegment.ofBuffer(halves.flip()), 0, floats, 0, floats.length);
        MessageDigest digest = sha256();
        digest.update(bytes(floats, floats.length));
        assertThat(HexFormat.of().formatHex(digest.digest()))
                .isEqualTo(Golden.json("dequantize.json")
                        .get("all_finite_sha256")
                        .get(type.name())
                        .textValue());
    }

    @Test
    void shouldCopyFloats() {
        float[] floats = {1.5f, -0f, Float.MIN_VALUE, Float.NaN};
        float[] copy = new float[4];
        Dequantizer.dequantize(GgmlType.F32, MemorySegment.ofArray(floats), 0, copy, 0, 4);
        assertThat(bytes(copy, 4)).isEqualTo(bytes(floats, 4));
    }

    @Test
    void shouldUnpackTheRealModelBitForBit() throws IOException {
        try (GgufFile file = GgufFile.open(RealModel.smolLm2())) {
            for (Map.Entry<String, JsonNode> tensor :
                    Golden.json("dequantize.json").get("tensor_sha256").properties()) {
                assertThat(digest(file.tensor(tensor.getKey())))
                        .as(tensor.getKey())
                        .isEqualTo(tensor.getValue().textValue());
            }
        }
    }

    @Test
    void shouldRefuseWhatItCannotUnpack() {
        MemorySegment data = MemorySegment.ofArray(new byte[420]);
        float[] floats = new float[512];
        assertThatThrownBy(() -> Dequantizer.dequantize(GgmlType.Q6_K, data, 0, floats, 0, 512))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("type=Q6_K, expected=F32, F16, BF16, Q4_0, Q4_1, Q8_0");
        assertThatThrownBy(() -> Dequantizer.dequantize(GgmlType.Q8_0, data, 0, floats, 0, 33))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("elements=33, expected=a multiple of the block size 32 of Q8_0");
        assertThatThrownBy(() -> Dequantizer.dequantize(GgmlType.Q8_0, data, 400, floats, 0, 32))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Dequantizer.dequantize(GgmlType.F16, data, 0, floats, 500, 32))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static String digest(GgufTensor tensor) {
        MessageDigest digest = sha256();
        float[] part = new float[ROUND_ELEMENTS];
        long count = tensor.elementCount();
        for (long done = 0; done < count; done += ROUND_ELEMENTS) {
            int elements = (int) Math.min(ROUND_ELEMENTS, count - done);
            Dequantizer.dequantize(tensor.type(), tensor.data(), tensor.type().bytesOf(done), part, 0, elements);
            digest.update(bytes(part, elements));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static byte[] bytes(float[] floats, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(floats, 0, count);
        return bytes.array();
    }

    private static JsonNode row(String type) throws IOException {
        return Golden.json("dequantize.json")
                .get("types")
                .valueStream()
                .filter(row -> row.get("type").textValue().equals(type))
                .findFirst()
                .orElseThrow();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
