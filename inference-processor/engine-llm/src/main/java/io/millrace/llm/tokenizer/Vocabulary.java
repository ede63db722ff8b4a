package io.millrace.llm.tokenizer;

import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** The tokens of a model: text, type and id. Built once; {@link EndTokens} may retype a token meanwhile; immutable from then on. */
final class Vocabulary {

    private static final Pattern BYTE_TOKEN = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

    private final List<String> texts;
    private final TokenType[] types;
    private final Map<String, Integer> ids;

    private Vocabulary(List<String> texts, TokenType[] types, Map<String, Integer> ids) {
        this.texts = texts;
        this.types = types;
        this.ids = ids;
    }

    static Vocabulary of(GgufMetadata metadata) throws GgufException {
        String key = "tokenizer.ggml.tokens";
        List<String> texts = metadata.strings(key);
        if (texts.isEmpty()) {
            throw metadata.failure(key, "at least one token", "none");
        }
        Map<String, Integer> ids = HashMap.newHashMap(texts.size());
        for (int id = 0; id < texts.size(); id++) {
            String text = texts.get(id);
            Integer earlier = text.isEmpty() ? null : ids.put(text, id);
            if (earlier != null) {
                throw metadata.failure(key, "different tokens", "token " + id + " the same as token " + earlier);
            }
        }
        TokenType[] types = types(metadata, texts.size());
        checkByteTokens(metadata, texts, types);
        return new Vocabulary(texts, types, ids);
    }

    private static TokenType[] types(GgufMetadata metadata, int count) throws GgufException {
        String key = "tokenizer.ggml.token_type";
        int[] typeIds = metadata.findInts(key).orElse(null);
        if (typeIds != null && typeIds.length < count) {
            throw metadata.failure(key, "a type for each of " + count + " tokens", "" + typeIds.length);
        }
        TokenType[] types = new TokenType[count];
        for (int i = 0; i < count; i++) {
            // ggml has a type 0, undefined, which reads as no text, as unused does
            types[i] = typeIds == null
                    ? TokenType.NORMAL
                    : TokenType.byId(typeIds[i]).orElse(TokenType.UNUSED);
        }
        return types;
    }

    private static void checkByteTokens(GgufMetadata metadata, List<String> texts, TokenType[] types)
            throws GgufException {
        for (int id = 0; id < types.length; id++) {
            if (types[id] == TokenType.BYTE
                    && !BYTE_TOKEN.matcher(texts.get(id)).matches()) {
                String expected = "byte tokens such as <0x0A>";
                throw metadata.failure("tokenizer.ggml.tokens", expected, "token " + id + " '" + texts.get(id) + "'");
            }
        }
    }

    int size() {
        return texts.size();
    }

    String text(int id) {
        return texts.get(id);
    }

    TokenType type(int id) {
        return types[id];
    }

    void retype(int id, TokenType type) {
        types[id] = type;
    }

    OptionalInt id(String text) {
        Integer id = ids.get(text);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The id at a metadata key such as {@code tokenizer.ggml.eos_token_id}; empty where there is none or it is no token. */
    OptionalInt idAt(GgufMetadata metadata, String key) throws GgufException {
        OptionalInt id = metadata.findInt(key);
        return id.isPresent() && id.getAsInt() >= 0 && id.getAsInt() < size() ? id : OptionalInt.empty();
    }
}
