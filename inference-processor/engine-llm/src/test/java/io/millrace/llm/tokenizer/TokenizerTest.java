package io.millrace.llm.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.llm.gguf.GgufBuilder;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.golden.Golden;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {

    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;

    @TempDir
    Path dir;

    @Test
    void shouldDecodeWhatItEncodedForAnyText() throws IOException {
        Tokenizer tokenizer = splits();
        Random random = new Random(815);
        for (int round = 0; round < 2000; round++) {
            String text = randomText(random);
            for (ParseSpecial parse : ParseSpecial.values()) {
                assertThat(tokenizer.decode(tokenizer.encode(text, parse))).isEqualTo(text);
            }
        }
    }

    @Test
    void shouldDecodeTokenByTokenAsItDecodesAtOnce() throws IOException {
        Tokenizer tokenizer = splits();
        int[] tokens = tokenizer.encode("Grüße 👨‍👩‍👧 नमस्ते", ParseSpecial.AS_TEXT);
        List<Byte> bytes = new ArrayList<>();
        for (int token : tokens) {
            for (byte b : tokenizer.tokenBytes(token)) {
                bytes.add(b);
            }
        }
        byte[] joined = new byte[bytes.size()];
        for (int i = 0; i < joined.length; i++) {
            joined[i] = bytes.get(i);
        }
        assertThat(new String(joined, StandardCharsets.UTF_8)).isEqualTo(tokenizer.decode(tokens));
    }

    @Test
    void shouldDecodeWhatItEncodedWithSentencePiece() throws IOException {
        try (GgufFile file = GgufFile.open(Golden.path("spm.gguf"))) {
            Tokenizer tokenizer = Tokenizer.of(file.metadata());
            Random random = new Random(816);
            for (int round = 0; round < 2000; round++) {
                // user-defined tokens, such as a blank line, get a space behind them
                String text = randomText(random).replaceAll("<[^>]*>|▁|\n", "");
                assertThat(tokenizer.decode(tokenizer.encode(text, ParseSpecial.AS_TEXT)))
                        .isEqualTo(text);
            }
            String run = "the ".repeat(1 << 18);
            assertThat(tokenizer.decode(tokenizer.encode(run, ParseSpecial.AS_TEXT)))
                    .isEqualTo(run);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "\n", "1", "é", "<", "ab ", "' "})
    void shouldTakeALongRunWithoutQuadraticTime(String unit) throws IOException {
        Tokenizer tokenizer = splits();
        String text = unit.repeat((1 << 20) / unit.length());
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(30), // takes about a second; quadratic time would be hours
                () -> assertThat(tokenizer.decode(tokenizer.encode(text, ParseSpecial.PARSE)))
                        .isEqualTo(text));
    }

    @Test
    void shouldCountUnpairedSurrogatesAsReplacementCharacters() throws IOException {
        Tokenizer tokenizer = splits();
        assertThat(tokenizer.encode("a\uD800b\uDC00", ParseSpecial.AS_TEXT))
                .containsExactly(tokenizer.encode("a\uFFFDb\uFFFD", ParseSpecial.AS_TEXT));
    }

    @Test
    void shouldParseControlTokensOnlyWhenAskedAndUserDefinedOnesAlways() throws IOException {
        Tokenizer tokenizer = splits();
        int end = tokenizer.findToken("</s>").orElseThrow();
        int tool = tokenizer.findToken("<tool>").orElseThrow();
        assertThat(tokenizer.encode("</s>", ParseSpecial.PARSE)).containsExactly(end);
        assertThat(tokenizer.encode("</s>", ParseSpecial.AS_TEXT)).doesNotContain(end);
        assertThat(tokenizer.encode("<tool>", ParseSpecial.AS_TEXT)).containsExactly(tool);
        assertThat(tokenizer.isControl(end)).isTrue();
        assertThat(tokenizer.isControl(tool)).isFalse();
        assertThat(tokenizer.isSpecial(tool)).isTrue();
    }

    @Test
    void shouldGiveTheLongestSpecialTokenItsPlaceFirst() throws IOException {
        Tokenizer tokenizer = open(tiny(List.of("<a>", "<a><b>", "<b>"), CONTROL));
        int longest = tokenizer.findToken("<a><b>").orElseThrow();
        int shortest = tokenizer.findToken("<a>").orElseThrow();
        assertThat(tokenizer.encode("<a><b><a>", ParseSpecial.PARSE)).containsExactly(longest, shortest);
    }

    @Test
    void shouldEndGenerationsAtTokensKnownByTheirText() throws IOException {
        Tokenizer tokenizer = open(tiny(List.of("<|eot_id|>", "<|im_end|>", "<|fim_pad|>", "<|file_sep|>"), NORMAL));
        assertThat(tokenizer.endTokens()).containsExactly(11, 256, 257, 258, 259);
        assertThat(tokenizer.isControl(256)).isTrue();
    }

    @Test
    void shouldNotEndGenerationsWhereHarmonyOnlyEndsAMessage() throws IOException {
        Tokenizer tokenizer = open(tiny(List.of("<|end|>", "<|return|>", "<|call|>", "<|message|>"), CONTROL));
        assertThat(tokenizer.endTokens()).containsExactly(11, 257, 258);
        assertThat(tokenizer.isControl(256)).isFalse();
        assertThat(tokenizer.isControl(259)).isFalse();
    }

    @Test
    void shouldTakeTheMetadatasWordOnBosAndEos() throws IOException {
        GgufBuilder builder = tiny(List.of("<bos>", "<end>"), CONTROL)
                .uint32("tokenizer.ggml.bos_token_id", 256)
                .uint32("tokenizer.ggml.eos_token_id", 257)
                .uint32("tokenizer.ggml.eot_token_id", 65)
                .bool("tokenizer.ggml.add_bos_token", true)
                .bool("tokenizer.ggml.add_eos_token", true);
        Tokenizer tokenizer = open(builder);
        assertThat(tokenizer.bosToken()).hasValue(256);
        assertThat(tokenizer.eosToken()).hasValue(257);
        assertThat(tokenizer.addBos()).isTrue();
        assertThat(tokenizer.addEos()).isTrue();
        assertThat(tokenizer.endTokens()).containsExactly(65, 257);
    }

    @Test
    void shouldReadByteAndUnusedTokens() throws IOException {
        Tokenizer bytes = open(tiny(List.of("<0x0A>"), BYTE));
        assertThat(bytes.tokenBytes(256)).containsExactly(10);
        Tokenizer unused = open(tiny(List.of("spare"), UNUSED));
        assertThat(unused.tokenBytes(256)).isEmpty();
        assertThat(unused.encode("spare", ParseSpecial.PARSE)).hasSize(5);
    }

    @Test
    void shouldSayWhatIsWrongWithAVocabulary() {
        assertRefused(
                base("wordpiece", "gpt-2").strings("tokenizer.ggml.tokens", List.of("a")),
                "expected=tokenizer.ggml.model as gpt2 or llama",
                "found=wordpiece");
        assertRefused(
                base("gpt2", "klingon").strings("tokenizer.ggml.tokens", List.of("a")),
                "expected=tokenizer.ggml.pre as one of a.x-4.0, chatglm-bpe,",
                "found=klingon");
        assertRefused(base("gpt2", "gpt-2"), "expected=tokenizer.ggml.tokens as an array of strings, found=no such");
        assertRefused(
                base("gpt2", "gpt-2").strings("tokenizer.ggml.tokens", List.of()), "at least one token, found=none");
        assertRefused(
                base("gpt2", "gpt-2").strings("tokenizer.ggml.tokens", List.of("a", "b", "a")),
                "as different tokens, found=token 2 the same as token 0");
        assertRefused(
                base("gpt2", "gpt-2")
                        .strings("tokenizer.ggml.tokens", List.of("a", "b"))
                        .int32s("tokenizer.ggml.token_type", 1),
                "as a type for each of 2 tokens, found=1");
        assertRefused(tiny(List.of("<0x0G>"), BYTE), "as byte tokens such as <0x0A>, found=token 256 '<0x0G>'");
        assertRefused(
                base("gpt2", "gpt-2")
                        .strings("tokenizer.ggml.tokens", List.of("a", "b"))
                        .strings("tokenizer.ggml.merges", List.of("a b", "ab")),
                "as pairs of symbols with a space between, found='ab' at 1");
        assertRefused(
                base("gpt2", "gpt-2")
                        .strings("tokenizer.ggml.tokens", List.of("a", "b"))
                        .strings("tokenizer.ggml.merges", List.of("a b"))
                        .bool("tokenizer.ggml.add_bos_token", true),
                "tokenizer.ggml.add_bos_token as false, as there is no bos token, found=true");
    }

    @Test
    void shouldOpenOrRefuseButNeverCrashOnFlippedBits() throws IOException {
        byte[] whole = Files.readAllBytes(Golden.path("splits.gguf"));
        Random random = new Random(4713);
        Path file = dir.resolve("flipped.gguf");
        for (int round = 0; round < 400; round++) {
            byte[] flipped = whole.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                // most of the file is tokens and merges; half of the flips hit what leads to them
                flipped[random.nextInt(random.nextBoolean() ? 1200 : flipped.length)] ^=
                        (byte) (1 << random.nextInt(8));
            }
            Files.write(file, flipped);
            try (GgufFile opened = GgufFile.open(file)) {
                Tokenizer tokenizer = Tokenizer.of(opened.metadata());
                assertThat(tokenizer.decode(tokenizer.encode("Hello <s> 123", ParseSpecial.PARSE)))
                        .isNotNull();
            } catch (GgufException refused) {
                assertThat(refused).hasMessageContaining("expected=");
            }
        }
    }

    @Test
    void shouldRefuseATokenThatDoesNotExist() throws IOException {
        Tokenizer tokenizer = open(tiny(List.of("x!"), USER_DEFINED));
        assertThatThrownBy(() -> tokenizer.tokenBytes(257))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token=257, expected=0 to 256");
        assertThatThrownBy(() -> tokenizer.decode(-1)).hasMessage("token=-1, expected=0 to 256");
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(40); i >= 0; i--) {
            switch (random.nextInt(6)) {
                case 0 -> text.append((char) (0x20 + random.nextInt(0x5F)));
                case 1 -> text.append(" \n\t\r\u00a0'".charAt(random.nextInt(6)));
                case 2 -> text.append((char) (0xA0 + random.nextInt(0x2000)));
                case 3 -> text.append((char) (0xE000 + random.nextInt(0x1FFF)));
                case 4 -> text.appendCodePoint(0x10000 + random.nextInt(0x100000));
                default ->
                    text.append(List.of("<s>", "</s>", "<tool>", "  <sp>", "12", "the ")
                            .get(random.nextInt(6)));
            }
        }
        return text.toString();
    }

    private void assertRefused(GgufBuilder builder, String... parts) {
        assertThatThrownBy(() -> open(builder))
                .isInstanceOf(GgufException.class)
                .hasMessageContainingAll(parts);
    }

    private static GgufBuilder base(String model, String pre) {
        return new GgufBuilder().string("tokenizer.ggml.model", model).string("tokenizer.ggml.pre", pre);
    }

    /** All bytes, then these tokens of one type. */
    private static GgufBuilder tiny(List<String> others, int type) {
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add(String.valueOf(ByteAlphabet.charOf((byte) b)));
        }
        tokens.addAll(others);
        int[] types = new int[tokens.size()];
        Arrays.fill(types, NORMAL);
        Arrays.fill(types, 256, types.length, type);
        return base("gpt2", "gpt-2")
                .strings("tokenizer.ggml.tokens", tokens)
                .int32s("tokenizer.ggml.token_type", types)
                .strings("tokenizer.ggml.merges", List.of());
    }

    private Tokenizer open(GgufBuilder builder) throws IOException {
        try (GgufFile file = GgufFile.open(builder.write(dir.resolve("t.gguf")))) {
            return Tokenizer.of(file.metadata());
        }
    }

    private static Tokenizer splits() throws IOException {
        try (GgufFile file = GgufFile.open(Golden.path("splits.gguf"))) {
            return Tokenizer.of(file.metadata());
        }
    }
}
