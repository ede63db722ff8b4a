package io.millrace.llm.tokenizer;

import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import java.util.List;
import java.util.NavigableSet;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * Which tokens end a generation, found as llama.cpp finds them: by the metadata's ids, and by the texts under which such tokens are known,
 * because many files name only one of several. Tokens so found are control tokens, whatever the file says.
 */
final class EndTokens {

    private static final List<String> END_TEXTS = List.of(
            "<|eot_id|>",
            "<|im_end|>",
            "<|end|>",
            "<|return|>",
            "<|call|>",
            "<|flush|>",
            "<|calls|>",
            "<end_of_turn>",
            "<|endoftext|>",
            "</s>",
            "<|eom_id|>",
            "<EOT>",
            "_<EOT>",
            "[EOT]",
            "[EOS]",
            "<|end_of_text|>",
            "<end_of_utterance>",
            "<eos>",
            "<turn|>",
            "<|tool_response>",
            "<｜end▁of▁sentence｜>",
            "[e~[");

    /** Fill-in-the-middle tokens: a model that writes a pad, a repository or a file separator has finished. */
    private record Fim(String name, boolean ends, List<String> texts) {

        String key() {
            return "tokenizer.ggml.fim_" + name + "_token_id";
        }
    }

    private static final List<Fim> FIM = List.of(
            new Fim("pre", false, fim("prefix", "begin", "PRE", "<|code_prefix|>", "<|prefix|>")),
            new Fim("suf", false, fim("suffix", "hole", "SUF", "<|code_suffix|>", "<|suffix|>")),
            new Fim("mid", false, fim("middle", "end", "MID", "<|code_middle|>", "<|middle|>")),
            new Fim("pad", true, List.of("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]")),
            new Fim("rep", true, List.of("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>")),
            new Fim("sep", true, List.of("<|file_sep|>")));

    private static List<String> fim(String name, String deepSeek, String codeLlama, String glm, String falcon) {
        return List.of(
                "<|fim_" + name + "|>",
                "<fim-" + name + ">",
                "<fim_" + name + ">",
                "<｜fim▁" + deepSeek + "｜>",
                "<" + codeLlama + ">",
                "▁<" + codeLlama + ">",
                glm,
                falcon);
    }

    private final GgufMetadata metadata;
    private final Vocabulary vocabulary;
    private final NavigableSet<Integer> ends = new TreeSet<>();

    private EndTokens(GgufMetadata metadata, Vocabulary vocabulary) {
        this.metadata = metadata;
        this.vocabulary = vocabulary;
    }

    /** Finds them, and makes them and the fill-in-the-middle tokens control tokens in the vocabulary. */
    static NavigableSet<Integer> find(GgufMetadata metadata, Vocabulary vocabulary, OptionalInt eos)
            throws GgufException {
        EndTokens tokens = new EndTokens(metadata, vocabulary);
        tokens.addFillInTheMiddle();
        for (String text : END_TEXTS) {
            vocabulary.id(text).ifPresent(tokens::addControl);
        }
        eos.ifPresent(tokens.ends::add);
        vocabulary.idAt(metadata, "tokenizer.ggml.eot_token_id").ifPresent(tokens.ends::add);
        vocabulary.idAt(metadata, "tokenizer.ggml.eom_token_id").ifPresent(tokens.ends::add);
        tokens.showHarmonyChannels();
        tokens.dropFalseEnds();
        return tokens.ends;
    }

    private void addControl(int id) {
        ends.add(id);
        vocabulary.retype(id, TokenType.CONTROL);
    }

    private void addFillInTheMiddle() throws GgufException {
        for (Fim fim : FIM) {
            OptionalInt named = vocabulary.idAt(metadata, fim.key());
            OptionalInt id = named.isPresent() ? named : firstOf(fim.texts());
            if (id.isPresent() && named.isEmpty()) {
                vocabulary.retype(id.getAsInt(), TokenType.CONTROL);
            }
            if (id.isPresent() && fim.ends()) {
                ends.add(id.getAsInt());
            }
        }
    }

    private OptionalInt firstOf(List<String> texts) {
        for (String text : texts) {
            OptionalInt id = vocabulary.id(text);
            if (id.isPresent()) {
                return id;
            }
        }
        return OptionalInt.empty();
    }

    /** OpenAI's harmony format marks its channels with tokens that belong to the text. */
    private void showHarmonyChannels() {
        for (String text : List.of("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>")) {
            vocabulary.id(text).ifPresent(id -> vocabulary.retype(id, TokenType.USER_DEFINED));
        }
    }

    /** Where a format has its own ends, {@code <|end|>} separates messages only; and some models' {@code </s>} is plain text. */
    private void dropFalseEnds() {
        boolean calls = isEnd("<|call|>") || isEnd("<|calls|>");
        if (calls && (isEnd("<|return|>") || isEnd("<|flush|>"))) {
            drop("<|end|>", TokenType.USER_DEFINED);
        }
        if (isEnd("<|tool_response>") || isEnd("<|plamo:eos|>")) {
            drop("</s>", TokenType.NORMAL);
        }
    }

    private boolean isEnd(String text) {
        OptionalInt id = vocabulary.id(text);
        return id.isPresent() && ends.contains(id.getAsInt());
    }

    private void drop(String text, TokenType type) {
        OptionalInt id = vocabulary.id(text);
        if (id.isPresent() && ends.remove(id.getAsInt())) {
            vocabulary.retype(id.getAsInt(), type);
        }
    }
}
