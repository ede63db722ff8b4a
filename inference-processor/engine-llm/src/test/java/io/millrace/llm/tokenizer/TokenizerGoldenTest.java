package io.millrace.llm.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.llm.gguf.GgufBuilder;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.gguf.GgufMetadata;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against ids that llama.cpp gave: ops/golden/tokenizer_goldens.py. */
class TokenizerGoldenTest {

    @TempDir
    Path dir;

    @Test
    void shouldEncodeAsLlamaCppDoesOnTheRealVocabulary() throws IOException {
        Tokenizer tokenizer = smolLm2();
        for (JsonNode row : Golden.json("smollm2-tokenizer.json").get("texts")) {
            String text = row.get("text").textValue();
            int[] parsed = Golden.ints(row.get("ids"));
            int[] asText = row.has("as_text") ? Golden.ints(row.get("as_text")) : parsed;
            assertThat(tokenizer.encode(text, ParseSpecial.PARSE))
                    .as(escape(text))
                    .containsExactly(parsed);
            assertThat(tokenizer.encode(text, ParseSpecial.AS_TEXT))
                    .as(escape(text))
                    .containsExactly(asText);
        }
    }

    @Test
    void shouldDecodeToTheBytesThatLlamaCppGives() throws IOException {
        Tokenizer tokenizer = smolLm2();
        for (Map.Entry<String, JsonNode> piece :
                Golden.json("smollm2-tokenizer.json").get("pieces").properties()) {
            byte[] bytes = tokenizer.tokenBytes(Integer.parseInt(piece.getKey()));
            assertThat(HexFormat.of().formatHex(bytes))
                    .as(piece.getKey())
                    .isEqualTo(piece.getValue().textValue());
        }
    }

    @Test
    void shouldDecodeWhatItEncoded() throws IOException {
        Tokenizer tokenizer = smolLm2();
        JsonNode golden = Golden.json("smollm2-tokenizer.json");
        for (JsonNode row : golden.get("texts")) {
            int[] ids = Golden.ints(row.get("ids"));
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int id : ids) {
                bytes.writeBytes(HexFormat.of()
                        .parseHex(golden.get("pieces").get("" + id).textValue()));
            }
            assertThat(tokenizer.decode(ids)).isEqualTo(bytes.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void shouldFindAllTokensThatEndAGeneration() throws IOException {
        int[] ends = Golden.ints(Golden.json("smollm2-tokenizer.json").get("end_tokens"));
        assertThat(smolLm2().endTokens().stream().mapToInt(Integer::intValue)).containsExactly(box(ends));
    }

    @Test
    void shouldKnowWhatTheModelSaysOfItsPrompts() throws IOException {
        Tokenizer tokenizer = smolLm2();
        assertThat(tokenizer.vocabSize()).isEqualTo(49152);
        assertThat(tokenizer.addBos()).isFalse();
        assertThat(tokenizer.addEos()).isFalse();
        assertThat(tokenizer.bosToken()).hasValue(1);
        assertThat(tokenizer.eosToken()).hasValue(2);
        assertThat(tokenizer.isControl(2)).isTrue();
        assertThat(tokenizer.isSpecial(2)).isTrue();
        assertThat(tokenizer.isControl(100)).isFalse();
        assertThat(tokenizer.findToken("<|im_end|>")).hasValue(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEncodeAsLlamaCppDoesWithSentencePiece(boolean addSpacePrefix) throws IOException {
        Tokenizer tokenizer = sentencePiece(addSpacePrefix);
        JsonNode golden = Golden.json("spm-tokenizer.json");
        for (JsonNode row : golden.get("texts")) {
            String text = row.get("text").textValue();
            JsonNode ids = row.get(addSpacePrefix ? "with_prefix" : "without_prefix");
            assertThat(tokenizer.encode(text, ParseSpecial.PARSE))
                    .as(escape(text))
                    .containsExactly(Golden.ints(ids));
        }
        for (Map.Entry<String, JsonNode> piece : golden.get("pieces").properties()) {
            byte[] bytes = tokenizer.tokenBytes(Integer.parseInt(piece.getKey()));
            assertThat(HexFormat.of().formatHex(bytes))
                    .as(piece.getKey())
                    .isEqualTo(piece.getValue().textValue());
        }
        assertThat(tokenizer.addBos()).isTrue();
        assertThat(tokenizer.endTokens().stream().mapToInt(Integer::intValue))
                .containsExactly(box(Golden.ints(golden.get("end_tokens"))));
    }

    private Tokenizer sentencePiece(boolean addSpacePrefix) throws IOException {
        Path copy = dir.resolve("spm.gguf");
        try (GgufFile file = GgufFile.open(Golden.path("spm.gguf"))) {
            GgufMetadata metadata = file.metadata();
            new GgufBuilder()
                    .string("tokenizer.ggml.model", "llama")
                    .bool("tokenizer.ggml.add_space_prefix", addSpacePrefix)
                    .strings("tokenizer.ggml.tokens", metadata.strings("tokenizer.ggml.tokens"))
                    .float32s("tokenizer.ggml.scores", metadata.floats("tokenizer.ggml.scores"))
                    .int32s("tokenizer.ggml.token_type", metadata.ints("tokenizer.ggml.token_type"))
                    .write(copy);
        }
        try (GgufFile file = GgufFile.open(copy)) {
            return Tokenizer.of(file.metadata());
        }
    }

    static List<String> preTokenizers() throws IOException {
        List<String> names = new ArrayList<>();
        Golden.json("splits-tokenizer.json").get("pre_tokenizers").forEach(name -> names.add(name.textValue()));
        return names;
    }

    @ParameterizedTest
    @MethodSource("preTokenizers")
    void shouldCutTextsAsLlamaCppDoes(String pre) throws IOException {
        Tokenizer tokenizer = splits(pre);
        for (JsonNode row : Golden.json("splits-tokenizer.json").get("texts")) {
            String text = row.get("text").textValue();
            int[] expected = Golden.ints(idsOf(row, pre));
            assertThat(tokenizer.encode(text, ParseSpecial.PARSE))
                    .as(escape(text))
                    .containsExactly(expected);
            if (row.has("as_text") && pre.equals("default")) {
                assertThat(tokenizer.encode(text, ParseSpecial.AS_TEXT))
                        .as(escape(text))
                        .containsExactly(Golden.ints(row.get("as_text")));
            }
        }
    }

    private static JsonNode idsOf(JsonNode row, String pre) {
        for (JsonNode group : row.get("ids")) {
            for (JsonNode name : group.get("pre")) {
                if (name.textValue().equals(pre)) {
                    return group.get("ids");
                }
            }
        }
        throw new IllegalArgumentException(pre);
    }

    /** The small vocabulary under another pre-tokenizer. */
    private Tokenizer splits(String pre) throws IOException {
        Path copy = dir.resolve(pre + ".gguf");
        try (GgufFile file = GgufFile.open(Golden.path("splits.gguf"))) {
            GgufMetadata metadata = file.metadata();
            new GgufBuilder()
                    .string("tokenizer.ggml.model", "gpt2")
                    .string("tokenizer.ggml.pre", pre)
                    .strings("tokenizer.ggml.tokens", metadata.strings("tokenizer.ggml.tokens"))
                    .int32s("tokenizer.ggml.token_type", metadata.ints("tokenizer.ggml.token_type"))
                    .strings("tokenizer.ggml.merges", metadata.strings("tokenizer.ggml.merges"))
                    .uint32("tokenizer.ggml.bos_token_id", metadata.intValue("tokenizer.ggml.bos_token_id"))
                    .uint32("tokenizer.ggml.eos_token_id", metadata.intValue("tokenizer.ggml.eos_token_id"))
                    .write(copy);
        }
        try (GgufFile file = GgufFile.open(copy)) {
            return Tokenizer.of(file.metadata());
        }
    }

    private static Tokenizer smolLm2() throws IOException {
        try (GgufFile file = GgufFile.open(RealModel.smolLm2())) {
            return Tokenizer.of(file.metadata());
        }
    }

    private static Integer[] box(int[] values) {
        return java.util.Arrays.stream(values).boxed().toArray(Integer[]::new);
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars().forEach(c -> escaped.append(c >= 32 && c < 127 ? "" + (char) c : String.format("\\u%04x", c)));
        return escaped.toString().replace("%", "%%");
    }
}
