package io.millrace.llm.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {

    private static final int HUGE = 0x7FFFFFFF;

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void shouldReadMetadataAndTensors(int version) throws IOException {
        try (GgufFile file = GgufFile.open(sample().version(version).write(path()))) {
            GgufMetadata metadata = file.metadata();
            assertThat(file.version()).isEqualTo(version);
            assertThat(metadata.string("name")).isEqualTo("träumer");
            assertThat(metadata.intValue("layers")).isEqualTo(7);
            assertThat(metadata.longValue("big")).isEqualTo(1L << 40);
            assertThat(metadata.floatValue("eps")).isEqualTo(1e-5f);
            assertThat(metadata.bool("flag")).isTrue();
            assertThat(metadata.strings("tokens")).containsExactly("a", "bc", "");
            assertThat(metadata.ints("types")).containsExactly(1, -3, 3);
            assertThat(metadata.floats("scores")).containsExactly(0.5f, -1);
            assertThat(metadata.findString("absent")).isEmpty();
            GgufTensor tensor = file.tensor("w");
            assertThat(tensor.shape()).containsExactly(2, 3);
            assertThat(tensor.columns()).isEqualTo(2);
            assertThat(tensor.rows()).isEqualTo(3);
            assertThat(tensor.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(file.tensor("v").data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 0))
                    .isEqualTo(9);
            assertThat(file.findTensor("absent")).isEmpty();
        }
    }

    @Test
    void shouldReadValuesOfEveryType() throws IOException {
        GgufBuilder builder = new GgufBuilder()
                .raw("u8", new byte[] {0, 0, 0, 0, -1})
                .raw("i8", new byte[] {1, 0, 0, 0, -1})
                .raw("u16", new byte[] {2, 0, 0, 0, -1, -1})
                .raw("i16", new byte[] {3, 0, 0, 0, -2, -1})
                .raw("i32", new byte[] {5, 0, 0, 0, -3, -1, -1, -1})
                .raw("i64", new byte[] {11, 0, 0, 0, -4, -1, -1, -1, -1, -1, -1, -1})
                .raw("f64", new byte[] {12, 0, 0, 0, 0, 0, 0, 0, 0, 0, -8, 63})
                .raw("u8s", new byte[] {9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, -1})
                .raw("bools", new byte[] {9, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0});
        try (GgufFile file = GgufFile.open(builder.write(path()))) {
            GgufMetadata metadata = file.metadata();
            assertThat(metadata.intValue("u8")).isEqualTo(255);
            assertThat(metadata.intValue("i8")).isEqualTo(-1);
            assertThat(metadata.intValue("u16")).isEqualTo(65535);
            assertThat(metadata.intValue("i16")).isEqualTo(-2);
            assertThat(metadata.intValue("i32")).isEqualTo(-3);
            assertThat(metadata.longValue("i64")).isEqualTo(-4);
            assertThat(metadata.floatValue("f64")).isEqualTo(1.5f);
            assertThat(metadata.ints("u8s")).containsExactly(7, 255);
            assertThat(metadata.describe("bools")).isEqualTo("[2 values]");
            assertThatThrownBy(() -> metadata.strings("bools"))
                    .hasMessageContaining("expected=bools as an array of strings, found=an array of booleans");
        }
    }

    @Test
    void shouldNotGiveAccessToTensorsOnceItIsClosed() throws IOException {
        GgufTensor tensor;
        try (GgufFile file = GgufFile.open(sample().write(path()))) {
            tensor = file.tensor("w");
        }
        assertThatThrownBy(() -> tensor.data().get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldHonourTheAlignmentThatTheFileNames() throws IOException {
        GgufBuilder builder =
                new GgufBuilder().alignment(256).f32("a", new long[] {1}, 3).f32("b", new long[] {1}, 4);
        try (GgufFile file = GgufFile.open(builder.write(path()))) {
            assertThat(file.tensor("b").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0))
                    .isEqualTo(4);
            assertThat(file.byteSize() % 256).isZero();
        }
    }

    @Test
    void shouldNameWhatIsWrongWithAValue() throws IOException {
        Path path = sample().write(path());
        try (GgufFile file = GgufFile.open(path)) {
            GgufMetadata metadata = file.metadata();
            assertThatThrownBy(() -> metadata.intValue("absent"))
                    .hasMessage(
                            "file=" + path + ", offset=0, expected=absent as an integer, found=no such metadata key");
            assertThatThrownBy(() -> metadata.intValue("name"))
                    .hasMessage("file=" + path + ", offset=24, expected=name as an integer, found=träumer");
            assertThatThrownBy(() -> metadata.intValue("big"))
                    .hasMessageContaining("expected=big as a 32-bit integer, found=1099511627776");
            assertThatThrownBy(() -> metadata.strings("types"))
                    .hasMessageContaining("expected=types as an array of strings, found=[3 integers]");
        }
    }

    @Test
    void shouldRefuseATensorThatItCannotReadOnlyWhenItIsRead() throws IOException {
        GgufBuilder builder = new GgufBuilder().tensor("blk.0.w", GgmlType.Q6_K, new long[] {256, 2}, new byte[420]);
        Path path = builder.write(path());
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.tensors()).extracting(GgufTensor::type).containsExactly(GgmlType.Q6_K);
            assertThatThrownBy(() -> file.tensor("blk.0.w"))
                    .isInstanceOf(GgufException.class)
                    .hasMessage("file=" + path + ", offset=24, "
                            + "expected=tensor blk.0.w of type F32, F16, BF16, Q4_0, Q4_1, Q8_0, found=Q6_K");
            assertThatThrownBy(() -> file.tensor("x")).hasMessageContaining("expected=tensor x, found=no tensor");
        }
    }

    @Test
    void shouldRefuseWhatIsNoGgufFile() throws IOException {
        assertRefused("PK\3\4 and so on".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                .hasMessageContaining(
                        "offset=0, expected=a GGUF file, whose first bytes are 47 47 55 46, found=50 4b 03 04");
        assertRefused(new byte[0]).hasMessageContaining("expected=magic of 4 bytes, found=end of file after 0 bytes");
        assertRefused(sample().version(1).build()).hasMessageContaining("offset=4, expected=version 2 or 3, found=1");
        assertRefused(sample().version(4).build()).hasMessageContaining("expected=version 2 or 3, found=4");
        assertRefused(sample().version(Integer.reverseBytes(3)).build())
                .hasMessageContaining("expected=a little-endian file, found=a big-endian file of version 3");
    }

    @Test
    void shouldRefuseAbsurdCountsBeforeAllocating() throws IOException {
        assertRefused(patched(8, -1)).hasMessageContaining("expected=tensor count between 0 and 1048576");
        assertRefused(patched(8, 1 << 19)).hasMessageContaining("expected=tensor count of at most");
        assertRefused(patched(16, Long.MAX_VALUE)).hasMessageContaining("expected=metadata count between 0 and 65536");
        assertRefused(patched(24, HUGE)).hasMessageContaining("expected=length of metadata key 0 between 0 and");
        assertRefused(patched(24, 1 << 20)).hasMessageContaining("expected=length of metadata key 0 of at most");
        assertArrayRefused(8, 1L << 40).hasMessageContaining("expected=length of array k between 0 and 16777216");
        assertArrayRefused(8, 1 << 24).hasMessageContaining("expected=length of array k of at most 2 (the file ends)");
        assertArrayRefused(9, 1)
                .hasMessageContaining("expected=k as an array of plain values, found=an array of arrays");
        assertArrayRefused(13, 1).hasMessageContaining("expected=element type of k between 0 and 12, found=13");
    }

    @Test
    void shouldRefuseDoubledNames() throws IOException {
        assertRefused(new GgufBuilder().uint32("k", 1).uint32("k", 2).build())
                .hasMessageContaining("expected=a metadata key once, found=a second k");
        assertRefused(new GgufBuilder()
                        .f32("w", new long[] {1}, 0)
                        .f32("w", new long[] {1}, 0)
                        .build())
                .hasMessageContaining("expected=a tensor once, found=a second w");
    }

    @Test
    void shouldRefuseBadShapesTypesAndPlaces() throws IOException {
        // a tensor description: 8 name length, 1 name, 4 dimension count, 8 size, 4 type, 8 offset
        assertTensorRefused(9, GgufBuilder.ints(5)).hasMessageContaining("expected=w with 1 to 4 dimensions, found=5");
        assertTensorRefused(13, GgufBuilder.longs(0)).hasMessageContaining("sizes between 1 and 2^63-1, found=0");
        assertTensorRefused(13, GgufBuilder.longs(Long.MAX_VALUE)).hasMessageContaining("less than 2^63 bytes");
        assertTensorRefused(13, GgufBuilder.longs(1 << 30)).hasMessageContaining("found=data of 32 bytes");
        assertTensorRefused(21, GgufBuilder.ints(4)).hasMessageContaining("of a known ggml type, found=type id 4");
        assertTensorRefused(21, GgufBuilder.ints(8)).hasMessageContaining("rows of whole Q8_0 blocks of 32, found=1");
        assertTensorRefused(25, GgufBuilder.longs(4)).hasMessageContaining("offset of w as a multiple of 32, found=4");
        assertTensorRefused(25, GgufBuilder.longs(64)).hasMessageContaining("found=data of 32 bytes");
        assertTensorRefused(25, GgufBuilder.longs(Long.MAX_VALUE - 31)).hasMessageContaining("found=data of 32 bytes");
    }

    @Test
    void shouldRefuseTensorsThatOverlap() throws IOException {
        GgufBuilder builder = new GgufBuilder().f32("a", new long[] {1}, 3).f32("b", new long[] {1}, 4);
        byte[] file = builder.build();
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(builder.header().length - 8, 0);
        assertRefused(file).hasMessageContaining("expected=tensor b at data offset 4 or later, found=0");
    }

    @Test
    void shouldRefuseBadValues() throws IOException {
        assertRefused(new GgufBuilder().raw("k", new byte[] {7, 0, 0, 0, 2}).build())
                .hasMessageContaining("expected=k as a boolean, 0 or 1, found=2");
        assertRefused(new GgufBuilder().uint64("k", -1).build())
                .hasMessageContaining("expected=k below 2^63, found=18446744073709551615");
        assertRefused(new GgufBuilder()
                        .raw("k", new byte[] {8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, (byte) 0xFF})
                        .build())
                .hasMessageContaining("expected=k in UTF-8, found=invalid bytes");
        assertRefused(new GgufBuilder().uint32("general.alignment", 24).build())
                .hasMessageContaining("expected=general.alignment as a power of two, found=24");
        assertRefused(new GgufBuilder().uint32("split.count", 3).build())
                .hasMessageContaining("expected=split.count as 1 (join the parts first), found=3");
    }

    @Test
    void shouldRefuseAFileCutAnywhere() throws IOException {
        byte[] whole = sample().build();
        int dataEnd = whole.length - 28; // the last tensor's 4 bytes, then padding
        for (int length = 0; length < dataEnd; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertRefused(cut).as("cut at %d", length).isInstanceOf(GgufException.class);
        }
    }

    @Test
    void shouldOpenOrRefuseButNeverCrashOnFlippedBits() throws IOException {
        byte[] whole = sample().build();
        Random random = new Random(4711);
        for (int round = 0; round < 1500; round++) {
            byte[] flipped = whole.clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
            }
            readAllOrRefuse(flipped);
        }
    }

    @Test
    void shouldOpenOrRefuseButNeverCrashOnRandomWords() throws IOException {
        byte[] whole = sample().build();
        Random random = new Random(4712);
        long[] nasty = {-1, Long.MIN_VALUE, Long.MAX_VALUE, HUGE, 1L << 32, 0, 1L << 24, whole.length};
        for (int at = 4; at + 8 <= whole.length; at++) {
            byte[] broken = whole.clone();
            ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN).putLong(at, nasty[random.nextInt(nasty.length)]);
            readAllOrRefuse(broken);
        }
    }

    private void readAllOrRefuse(byte[] bytes) throws IOException {
        Files.write(path(), bytes);
        try (GgufFile file = GgufFile.open(path())) {
            for (GgufTensor tensor : file.tensors()) {
                float[] values = new float[(int) tensor.elementCount()];
                if (tensor.type().readable()) {
                    Dequantizer.dequantize(tensor.type(), tensor.data(), 0, values, 0, values.length);
                }
            }
            file.metadata().keys().forEach(file.metadata()::describe);
        } catch (GgufException refused) {
            assertThat(refused).hasMessageContaining("expected=");
        }
    }

    private static GgufBuilder sample() {
        return new GgufBuilder()
                .string("name", "träumer")
                .uint32("layers", 7)
                .uint64("big", 1L << 40)
                .float32("eps", 1e-5f)
                .bool("flag", true)
                .strings("tokens", List.of("a", "bc", ""))
                .int32s("types", 1, -3, 3)
                .float32s("scores", 0.5f, -1)
                .f32("w", new long[] {2, 3}, 1, 2, 3, 4, 5, 6)
                .f32("v", new long[] {1}, 9);
    }

    private static byte[] patched(int at, long value) {
        byte[] bytes = sample().build();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
        return bytes;
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertArrayRefused(int elementType, long count)
            throws IOException {
        ByteBuffer value = ByteBuffer.allocate(36).order(ByteOrder.LITTLE_ENDIAN);
        value.putInt(GgufValueType.ARRAY.id).putInt(elementType).putLong(count);
        return assertRefused(new GgufBuilder().raw("k", value.array()).header());
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertTensorRefused(int at, byte[] value)
            throws IOException {
        byte[] bytes = new GgufBuilder().f32("w", new long[] {1}, 1).build();
        System.arraycopy(value, 0, bytes, 24 + at, value.length);
        return assertRefused(bytes);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] bytes) throws IOException {
        Files.write(path(), bytes);
        try (GgufFile file = GgufFile.open(path())) {
            return fail("opened a file of %d tensors", file.tensors().size());
        } catch (GgufException refused) {
            return assertThat(refused);
        }
    }

    private Path path() {
        return dir.resolve("sample.gguf");
    }
}
