package io.millrace.llm.runtime;

import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import java.nio.charset.StandardCharsets;

/** A vocabulary of 27: token 0 ends an answer, token i is the i-th letter. Chats are their contents in brackets. */
final class FakeCodec implements PromptCodec {

    static final int VOCAB = 27;
    static final int END = 0;

    @Override
    public int vocabSize() {
        return VOCAB;
    }

    @Override
    public int[] encode(Operation operation, Input input) {
        return switch (input) {
            case Input.Text text -> letters(text.text());
            case Input.TokenIds ids -> ids.ids().stream().mapToInt(id -> id).toArray();
            case Input.Conversation conversation -> throw new InvalidRequestException("role", "oracle", "user");
        };
    }

    static int[] letters(String text) {
        return text.chars().map(c -> c - 'a' + 1).toArray();
    }

    @Override
    public boolean endsAnswer(int tokenId) {
        return tokenId == END;
    }

    @Override
    public byte[] textBytes(int tokenId) {
        return tokenId == END ? new byte[0] : letter(tokenId).getBytes(StandardCharsets.UTF_8);
    }

    static String letter(int tokenId) {
        return Character.toString('a' + tokenId - 1);
    }
}
