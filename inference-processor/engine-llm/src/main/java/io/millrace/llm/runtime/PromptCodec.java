package io.millrace.llm.runtime;

import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;

/** Between what requests say and the model's token ids. Any thread may use it. */
interface PromptCodec {

    /** Token ids are 0 to this, exclusive. */
    int vocabSize();

    /**
     * The prompt as the model reads it: in its chat template for {@link Operation#CHAT}, as it is for {@link
     * Operation#GENERATE}; token ids unchanged.
     *
     * @throws InvalidRequestException when the model's template or vocabulary does not take it
     */
    int[] encode(Operation operation, Input input);

    /** Whether the model ends its answer with this token. */
    boolean endsAnswer(int tokenId);

    /** UTF-8 bytes that the token stands for in an answer, perhaps a part of a character; none for a control token. */
    byte[] textBytes(int tokenId);
}
