package io.millrace.llm.runtime;

import io.millrace.engine.Input;
import io.millrace.engine.Input.Message;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import io.millrace.llm.tokenizer.jinja.TemplateException;
import java.util.List;
import java.util.Optional;

/** Tokenizer and chat template of a GGUF file. */
final class GgufPromptCodec implements PromptCodec {

    private static final byte[] NONE = {};

    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> template;

    /**
     * A codec.
     *
     * @param template empty for a base model, which continues texts and does not chat
     */
    GgufPromptCodec(Tokenizer tokenizer, Optional<ChatTemplate> template) {
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
        ChatTemplate present = template.orElseThrow(() -> new InvalidRequestException(
                "operation", Operation.CHAT.wireName(), "generate: the model has no chat template"));
        return tokenizer.encode(render(present, messages), ParseSpecial.PARSE);
    }

    /** A template that is itself at fault is nothing the request can mend: that exception goes on. */
    private static String render(ChatTemplate template, List<Message> messages) {
        try {
            return template.render(messages, ChatTemplate.GenerationPrompt.ADD);
        } catch (TemplateException e) {
            if (e.kind() == TemplateException.Cause.TEMPLATE) {
                throw e;
            }
            List<String> roles = messages.stream().map(Message::role).toList();
            throw new InvalidRequestException(
                    "messages", roles, "a conversation that the chat template takes: " + e.getMessage());
        }
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
