package io.millrace.llm.runtime;

import io.millrace.engine.Input;
import io.millrace.engine.Input.Message;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.Function;

/** Tokenizer and chat template of a GGUF file. */
final class GgufPromptCodec implements PromptCodec {

    private static final byte[] NONE = {};

    private final Tokenizer tokenizer;
    private final Function<List<Message>, String> template;

    /**
     * A codec.
     *
     * @param template renders a conversation up to where the assistant's answer begins; throws {@link
     *     InvalidRequestException} for one it does not take
     */
    GgufPromptCodec(Tokenizer tokenizer, Function<List<Message>, String> template) {
        this.tokenizer = tokenizer;
        this.template = template;
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabSize();
    }

    @Override
    public int[] encode(Operation operation, Input input) {
        return switch (input) {
            case Input.TokenIds ids ->
                ids.ids().stream().mapToInt(Integer::intValue).toArray();
            case Input.Text text ->
                operation == Operation.CHAT ? chat(List.of(new Message("user", text.text()))) : raw(text.text());
            case Input.Conversation conversation -> {
                if (operation != Operation.CHAT) {
                    throw new InvalidRequestException("operation", operation.wireName(), "chat, for messages");
                }
                yield chat(conversation.messages());
            }
        };
    }

    /** The template writes BOS itself where the model wants one. */
    private int[] chat(List<Message> messages) {
        if (messages.isEmpty()) {
            throw new InvalidRequestException("messages", messages, "at least one");
        }
        return tokenizer.encode(template.apply(messages), ParseSpecial.PARSE);
    }

    /** Special tokens in the text count, and BOS follows the metadata: the caller writes what the model reads. */
    private int[] raw(String text) {
        int[] tokens = tokenizer.encode(text, ParseSpecial.PARSE);
        if (!tokenizer.addBos() || tokens.length == 0) {
            return tokens;
        }
        int[] withBos = new int[tokens.length + 1];
        withBos[0] = tokenizer.bosToken().orElseThrow();
        System.arraycopy(tokens, 0, withBos, 1, tokens.length);
        return withBos;
    }

    @Override
    public boolean endsAnswer(int tokenId) {
        return tokenizer.endTokens().contains(tokenId);
    }

    @Override
    public byte[] textBytes(int tokenId) {
        return tokenizer.isControl(tokenId) ? NONE : tokenizer.tokenBytes(tokenId);
    }
}
