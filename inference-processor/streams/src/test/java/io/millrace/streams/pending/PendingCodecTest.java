package io.millrace.streams.pending;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PendingCodecTest {

    /** What format 1 looked like when it was released: a store of that day must stay readable. */
    private static final String GOLDEN_FORMAT_1 = "01" // format
            + "07" // key, alone, raw
            + "0000018bcfe56800" // timestamp
            + "0000018bcfe56801" // admittedAt
            + "00000002" // recoveries
            + "00000001" // strikes
            + "00000002" + "6b31" // key "k1"
            + "00000003" + "7b7d0a" // payload "{}\n"
            + "00000002" // two headers
            + "00000001" + "61" + "00000001" + "ff" // a = ff
            + "00000002" + "c3a9" + "ffffffff"; // é = null

    /** The same in format 2. */
    private static final String GOLDEN_FORMAT_2 = "02" // format
            + "07" // key, alone, raw
            + "0000018bcfe56800" // timestamp
            + "0000018bcfe56801" // admittedAt
            + "00000002" // recoveries
            + "00000001" // strikes
            + "0123456789abcdef" + "fedcba9876543210" // process
            + "00000002" + "6b31" // key "k1"
            + "00000003" + "7b7d0a" // payload "{}\n"
            + "00000002" // two headers
            + "00000001" + "61" + "00000001" + "ff" // a = ff
            + "00000002" + "c3a9" + "ffffffff"; // é = null

    @Test
    void shouldWriteFormat2() {
        assertThat(HexFormat.of().formatHex(PendingCodec.encode(goldenPrompt())))
                .isEqualTo(GOLDEN_FORMAT_2);
    }

    @Test
    void shouldReadFormat2() {
        PendingPrompt read = PendingCodec.decode(HexFormat.of().parseHex(GOLDEN_FORMAT_2));

        assertThat(read).usingRecursiveComparison().isEqualTo(goldenPrompt());
    }

    @Test
    void shouldReadFormat1AsItWasReleased() {
        PendingPrompt read = PendingCodec.decode(HexFormat.of().parseHex(GOLDEN_FORMAT_1));

        assertThat(read).usingRecursiveComparison().isEqualTo(goldenPrompt().markedAlone(new UUID(0, 0)));
    }

    private static PendingPrompt goldenPrompt() {
        return new PendingPrompt(
                utf8("k1"),
                new Payload.Raw(utf8("{}\n")),
                List.of(new RecordHeader("a", new byte[] {(byte) 0xff}), header("é", null)),
                1_700_000_000_000L,
                1_700_000_000_001L,
                2,
                1,
                Optional.of(new UUID(0x0123_4567_89ab_cdefL, 0xfedc_ba98_7654_3210L)));
    }

    @Test
    void shouldKeepTheAbsenceOfKeyAndValue() {
        PendingPrompt prompt = PendingPrompt.admitted(null, new Payload.Absent(), List.of(), 5, 6);

        PendingPrompt read = PendingCodec.decode(PendingCodec.encode(prompt));

        assertThat(read.key()).isNull();
        assertThat(read.payload()).isEqualTo(new Payload.Absent());
        assertThat(read.alone()).isFalse();
    }

    @Test
    void shouldKeepAnEmptyKeyApartFromNone() {
        PendingPrompt prompt = PendingPrompt.admitted(new byte[0], new Payload.Raw(new byte[0]), List.of(), 5, 6);

        PendingPrompt read = PendingCodec.decode(PendingCodec.encode(prompt));

        assertThat(read.key()).isEmpty();
        assertThat(read.payload()).isInstanceOf(Payload.Raw.class);
    }

    @Test
    void shouldKeepBothSizesOfAPromptThatWasTooLarge() {
        PendingPrompt prompt =
                PendingPrompt.admitted(utf8("k"), new Payload.TooLarge(2_000_000, 1_000_000), List.of(), 5, 6);

        PendingPrompt read = PendingCodec.decode(PendingCodec.encode(prompt));

        assertThat(read.payload()).isEqualTo(new Payload.TooLarge(2_000_000, 1_000_000));
    }

    @Test
    void shouldReadBackRandomPromptsAndKnowTheirSize() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            PendingPrompt prompt = randomPrompt(random);
            byte[] encoded = PendingCodec.encode(prompt);

            assertThat(PendingCodec.sizeBytes(prompt)).as("seed %s", seed).isEqualTo(encoded.length);
            assertThat(PendingCodec.decode(encoded))
                    .as("seed %s", seed)
                    .usingRecursiveComparison()
                    .isEqualTo(prompt);
        }
    }

    // a compact constructor's parameters lose their annotations in class files
    @SuppressWarnings("NullAway")
    private static PendingPrompt randomPrompt(Random random) {
        List<Header> headers = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            byte @Nullable [] value = random.nextBoolean() ? bytes(random) : null;
            headers.add(header("h" + random.nextInt(100), value));
        }
        byte @Nullable [] key = random.nextBoolean() ? bytes(random) : null;
        return new PendingPrompt(
                key,
                random.nextBoolean() ? new Payload.Raw(bytes(random)) : new Payload.Absent(),
                headers,
                random.nextLong(),
                random.nextLong(),
                random.nextInt(10),
                random.nextInt(3),
                random.nextBoolean() ? Optional.of(new UUID(random.nextLong(), random.nextLong())) : Optional.empty());
    }

    private static byte[] bytes(Random random) {
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void shouldCountARecovery() {
        assertThat(goldenPrompt().recovered().recoveries()).isEqualTo(3);
    }

    @Test
    void shouldRefuseAFormatOfTheFuture() {
        byte[] encoded = PendingCodec.encode(goldenPrompt());
        encoded[0] = 3;

        assertThatThrownBy(() -> PendingCodec.decode(encoded))
                .isInstanceOf(SerializationException.class)
                .hasMessage(
                        "pending entry format=3, expected=1 or 2: written by a newer release; run that release, or one"
                                + " between");
    }

    @Test
    void shouldRefuseEveryTruncation() {
        byte[] encoded = PendingCodec.encode(goldenPrompt());
        for (int length = 0; length < encoded.length; length++) {
            byte[] truncated = java.util.Arrays.copyOf(encoded, length);
            assertThatThrownBy(() -> PendingCodec.decode(truncated))
                    .isInstanceOf(SerializationException.class)
                    .hasMessageStartingWith("pending entry length=" + length + ", expected more");
        }
    }

    @Test
    void shouldRefuseBytesBehindTheEnd() {
        byte[] encoded = PendingCodec.encode(goldenPrompt());
        byte[] longer = java.util.Arrays.copyOf(encoded, encoded.length + 1);

        assertThatThrownBy(() -> PendingCodec.decode(longer))
                .hasMessage("pending entry length=" + longer.length + ", expected=" + encoded.length);
    }

    @Test
    void shouldNotAllocateByAnAbsurdHeaderCount() {
        byte[] encoded = PendingCodec.encode(PendingPrompt.admitted(null, new Payload.Absent(), List.of(), 5, 6));
        encoded[encoded.length - 4] = 0x7f;

        assertThatThrownBy(() -> PendingCodec.decode(encoded)).isInstanceOf(SerializationException.class);
    }

    @Test
    void shouldOrderKeysByOffset() {
        var topic = org.apache.kafka.common.Uuid.randomUuid();
        var first = new PendingKey(topic, 3, 255);
        var second = new PendingKey(topic, 3, 256);

        assertThat(first.encode()).isLessThan(second.encode());
        assertThat(PendingKey.decode(second.encode())).isEqualTo(second);
        assertThatThrownBy(() -> PendingKey.decode(org.apache.kafka.common.utils.Bytes.wrap(new byte[3])))
                .hasMessage("pending key length=3, expected=28");
    }

    // Kafka's headers carry null values; its classes are not annotated
    @SuppressWarnings("NullAway")
    private static Header header(String name, byte @Nullable [] value) {
        return new RecordHeader(name, value);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
