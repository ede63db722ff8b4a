package io.millrace.llm.tokenizer;

import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.NavigableSet;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Text to tokens and back, as the model's file says. Immutable; shared by all threads. */
public final class Tokenizer {

    private static final Logger LOG = LoggerFactory.getLogger(Tokenizer.class);

    private final Vocabulary vocabulary;
    private final TextEncoder encoder;
    private final SpecialTokenSplitter splitter;
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final boolean addBos;
    private final boolean addEos;
    private final NavigableSet<Integer> endTokens;

    /**
     * What a kind of tokenizer does where the metadata does not say.
     *
     * @param bos id of BOS
     * @param eos id of EOS
     * @param addsBos whether prompts start with BOS
     */
    private record Family(TextEncoder encoder, int bos, int eos, boolean addsBos) {}

    private Tokenizer(GgufMetadata metadata) throws GgufException {
        vocabulary = Vocabulary.of(metadata);
        Family family = family(metadata, vocabulary);
        encoder = family.encoder();
        bos = specialToken(metadata, "bos", family.bos());
        eos = specialToken(metadata, "eos", family.eos());
        addBos = adds(metadata, "bos", family.addsBos(), bos);
        addEos = adds(metadata, "eos", false, eos);
        endTokens = Collections.unmodifiableNavigableSet(EndTokens.find(metadata, vocabulary, eos));
        splitter = new SpecialTokenSplitter(vocabulary);
    }

    private static Family family(GgufMetadata metadata, Vocabulary vocabulary) throws GgufException {
        String model = metadata.string("tokenizer.ggml.model");
        return switch (model) {
            case "gpt2" -> {
                PreTokenizer pre = preTokenizer(metadata);
                yield new Family(new BytePairEncoder(metadata, vocabulary, pre), 11, 11, pre.addsBos());
            }
            case "llama" -> new Family(new SentencePieceEncoder(metadata, vocabulary), 1, 2, true);
            default -> throw metadata.failure("tokenizer.ggml.model", "gpt2 or llama", model);
        };
    }

    /**
     * The tokenizer that a model's metadata describes.
     *
     * @throws GgufException where it is of a kind that this program does not have, or its metadata is broken
     */
    public static Tokenizer of(GgufMetadata metadata) throws GgufException {
        return new Tokenizer(metadata);
    }

    private static PreTokenizer preTokenizer(GgufMetadata metadata) throws GgufException {
        String key = "tokenizer.ggml.pre";
        String name = metadata.findString(key).orElse("");
        if (name.isEmpty()) {
            LOG.warn("{} names no {}: using 'default', which may not be the model's", metadata.file(), key);
            name = "default";
        }
        PreTokenizer preTokenizer = PreTokenizers.byName(name).orElse(null);
        if (preTokenizer == null) {
            throw metadata.failure(key, "one of " + PreTokenizers.names(), name);
        }
        return preTokenizer;
    }

    private OptionalInt specialToken(GgufMetadata metadata, String name, int otherwise) throws GgufException {
        OptionalInt id = vocabulary.idAt(metadata, "tokenizer.ggml." + name + "_token_id");
        return id.isPresent() || otherwise >= vocabulary.size() ? id : OptionalInt.of(otherwise);
    }

    private static boolean adds(GgufMetadata metadata, String name, boolean otherwise, OptionalInt id)
            throws GgufException {
        String key = "tokenizer.ggml.add_" + name + "_token";
        boolean adds = metadata.findBool(key).orElse(otherwise);
        if (adds && id.isEmpty()) {
            throw metadata.failure(key, "false, as there is no " + name + " token", "true");
        }
        return adds;
    }

    /**
     * The tokens of a text, without BOS and EOS. Unpaired surrogates count as U+FFFD.
     *
     * @return ids in [0, vocabSize)
     */
    public int[] encode(String text, ParseSpecial parse) {
        IntArray tokens = new IntArray();
        if (text.isEmpty()) {
            return tokens.toArray();
        }
        for (SpecialTokenSplitter.Fragment fragment : splitter.split(wellFormed(text), parse)) {
            switch (fragment) {
                case SpecialTokenSplitter.Fragment.Token token -> tokens.add(token.id());
                case SpecialTokenSplitter.Fragment.Text part -> encoder.encode(part.text(), tokens);
            }
        }
        return tokens.toArray();
    }

    /** The text of tokens, special tokens' included. Bytes that are not UTF-8 become U+FFFD. */
    public String decode(int... tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            bytes.writeBytes(tokenBytes(token));
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        boolean prefixed = encoder.addsSpacePrefix() && tokens.length > 0 && !isSpecial(tokens[0]);
        return prefixed && text.startsWith(" ") ? text.substring(1) : text;
    }

    /**
     * The bytes that a token stands for, often a part of a character only; a special token's are its text. Whoever shows text to users skips
     * tokens that {@link #isControl}.
     *
     * @param token in [0, vocabSize)
     */
    public byte[] tokenBytes(int token) {
        String text = tokenText(token);
        return switch (vocabulary.type(token)) {
            case NORMAL -> encoder.decode(text);
            case CONTROL, USER_DEFINED, UNKNOWN -> text.getBytes(StandardCharsets.UTF_8);
            case BYTE -> new byte[] {(byte) Integer.parseInt(text, 3, 5, 16)};
            case UNUSED -> new byte[0];
        };
    }

    /** A token as the vocabulary writes it. */
    public String tokenText(int token) {
        if (token < 0 || token >= vocabulary.size()) {
            throw new IllegalArgumentException("token=" + token + ", expected=0 to " + (vocabulary.size() - 1));
        }
        return vocabulary.text(token);
    }

    /** Whether a token is not text but means something to the model: it is not shown to users. */
    public boolean isControl(int token) {
        TokenType type = vocabulary.type(token);
        return type == TokenType.CONTROL || type == TokenType.UNKNOWN;
    }

    /** Whether a token's text is looked for before all else: control, unknown and user-defined tokens. */
    public boolean isSpecial(int token) {
        return vocabulary.type(token).standsAlone();
    }

    /** The token with exactly this text in the vocabulary's own writing. */
    public OptionalInt findToken(String text) {
        return vocabulary.id(text);
    }

    public OptionalInt bosToken() {
        return bos;
    }

    public OptionalInt eosToken() {
        return eos;
    }

    /** Whether prompts start with BOS; then there is one. */
    public boolean addBos() {
        return addBos;
    }

    /** Whether prompts end with EOS; then there is one. */
    public boolean addEos() {
        return addEos;
    }

    /** All tokens that end a generation, ascending: not only {@link #eosToken}. */
    public NavigableSet<Integer> endTokens() {
        return endTokens;
    }

    /** Number of tokens; ids are in [0, vocabSize). */
    public int vocabSize() {
        return vocabulary.size();
    }

    private static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                return text.codePoints()
                        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
            }
        }
        return text;
    }
}
