package io.millrace.llm.tokenizer;

import io.millrace.llm.tokenizer.PreTokenizer.WholePieces;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The pre-tokenizers by the names that {@code tokenizer.ggml.pre} has, with the patterns of llama.cpp's {@code llama-vocab.cpp}. White space and
 * letters are Unicode's: Java's own {@code \s} knows ASCII only. Categories are those of the JDK's
 * Unicode (16 in JDK 25); llama.cpp's tables are those of Unicode 15, so that the few scripts new since then are cut differently there.
 */
final class PreTokenizers {

    private static final String SPACE = "\\p{IsWhite_Space}";
    private static final String NOT_SPACE = "\\P{IsWhite_Space}";
    private static final String SPACES = SPACE + "+(?!" + NOT_SPACE + ")|" + SPACE + "+";
    private static final String SYMBOLS = " ?[^" + SPACE + "\\p{L}\\p{N}]+";
    private static final String CONTRACTION = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
    private static final String WORD = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
    private static final String NEW_LINES = SPACE + "*[\\r\\n]+";

    private static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|" + SYMBOLS + "|" + SPACES;
    private static final String LLAMA3 = modern("\\p{N}{1,3}");
    private static final String QWEN2 = modern("\\p{N}");
    // as in llama.cpp, upper and lower case are told apart in ASCII only
    private static final String UPPER_WORD = "[^\\r\\n\\p{L}\\p{N}]?[\\p{L}&&[^a-z]]*[\\p{L}&&[^A-Z]]+";
    private static final String LOWER_WORD = "[^\\r\\n\\p{L}\\p{N}]?[\\p{L}&&[^a-z]]+[\\p{L}&&[^A-Z]]*";
    private static final String CASED_TAIL = SYMBOLS + "[\\r\\n/]*|" + NEW_LINES + "|" + SPACES;
    private static final String DEEPSEEK3_WORDS = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + NEW_LINES + "|" + SPACES;

    private static final Map<String, PreTokenizer> BY_NAME = new HashMap<>();

    static {
        merging(
                List.of(
                        "gpt-2",
                        "phi-2",
                        "mpt",
                        "olmo",
                        "jais",
                        "trillion",
                        "granite-docling",
                        "exaone4",
                        "gigachat",
                        "a.x-4.0",
                        "mellum"),
                GPT2);
        merging(
                List.of("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"),
                "\\p{N}",
                GPT2);
        merging(List.of("default"), "[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]");
        merging(List.of("falcon"), "[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]");
        merging(List.of("dbrx", "smaug-bpe", "chatglm-bpe"), LLAMA3);
        merging(
                List.of(
                        "qwen2",
                        "deepseek-r1-qwen",
                        "kormo",
                        "f2llmv2",
                        "megrez",
                        "stablelm2",
                        "hunyuan",
                        "solar-open",
                        "grok-2"),
                QWEN2);
        merging(
                List.of("qwen35"),
                CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" + SPACE
                        + "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" + NEW_LINES + "|" + SPACES);
        merging(List.of("deepseek-v3", "hunyuan-dense", "joyai-llm"), "\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3_WORDS);
        merging(
                List.of("deepseek-coder"),
                "[\\r\\n]",
                SPACE + "?\\p{L}+",
                SPACE + "?\\p{P}+",
                "[一-龥ࠀ-一가-퟿&&[^" + SPACE + "]]+",
                "\\p{N}");
        merging(
                List.of("seed-coder"),
                CONTRACTION + "|" + WORD + "|\\p{N}| ?[^" + SPACE + "\\p{L}\\p{N}\\r\\n]+|" + NEW_LINES + "|" + SPACES);
        merging(
                List.of("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"),
                UPPER_WORD + "(?:" + CONTRACTION + ")?|" + LOWER_WORD + "(?:" + CONTRACTION + ")?|\\p{N}{1,3}|"
                        + CASED_TAIL);
        whole(List.of("glm4", "glm5"), false, LLAMA3);
        whole(
                List.of(
                        "llama3",
                        "llama-v3",
                        "llama-bpe",
                        "falcon3",
                        "falcon-h1",
                        "pixtral",
                        "midm-2.0",
                        "lfm2",
                        "jina-v5-nano"),
                true,
                LLAMA3);
        whole(List.of("tekken"), true, UPPER_WORD + "|" + LOWER_WORD + "|\\p{N}|" + CASED_TAIL);
    }

    private PreTokenizers() {}

    static Optional<PreTokenizer> byName(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** All names, for messages. */
    static String names() {
        return String.join(", ", new TreeSet<>(BY_NAME.keySet()));
    }

    private static String modern(String digits) {
        return CONTRACTION + "|" + WORD + "|" + digits + "|" + SYMBOLS + "[\\r\\n]*|" + NEW_LINES + "|" + SPACES;
    }

    private static void merging(List<String> names, String... patterns) {
        add(names, WholePieces.ARE_MERGED, false, patterns);
    }

    private static void whole(List<String> names, boolean addsBos, String... patterns) {
        add(names, WholePieces.ARE_TOKENS, addsBos, patterns);
    }

    private static void add(List<String> names, WholePieces merges, boolean addsBos, String... patterns) {
        List<Pattern> compiled = Arrays.stream(patterns).map(Pattern::compile).toList();
        names.forEach(name -> BY_NAME.put(name, new PreTokenizer(compiled, merges, addsBos)));
    }
}
