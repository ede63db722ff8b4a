package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.ResponseFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a request becomes on the submitting thread, before the engine thread sees it: a prompt in token ids that fits, or a
 * failure. Any thread may use it.
 */
final class Admission {

    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    private final PromptCodec codec;
    private final EngineBudgets budgets;
    private final EngineClock clock;

    Admission(PromptCodec codec, EngineBudgets budgets, EngineClock clock) {
        this.codec = codec;
        this.budgets = budgets;
        this.clock = clock;
    }

    /** How it went. */
    sealed interface Outcome {}

    /**
     * It can run.
     *
     * @param prompt token ids, at least one
     * @param maxLength tokens of prompt and answer together, more than the prompt's
     */
    record Accepted(InferenceRequest request, int[] prompt, int maxLength, Deadline deadline) implements Outcome {}

    /** It is wrong in itself. */
    record Refused(Completion.Failed failure) implements Outcome {}

    Outcome check(InferenceRequest request) {
        try {
            checkSupported(request);
            int[] prompt = codec.encode(request.operation(), request.input());
            checkTokens(prompt);
            int maxModelLen = budgets.maxModelLen();
            if (prompt.length >= maxModelLen) {
                String message =
                        "prompt_tokens=" + prompt.length + ", expected=fewer than max_model_len=" + maxModelLen;
                return refused(request, FailureCode.CONTEXT_LENGTH_EXCEEDED, message);
            }
            int maxTokens = request.sampling().maxTokens().orElse(budgets.defaultMaxTokens());
            int maxLength = prompt.length + Math.min(maxTokens, maxModelLen - prompt.length);
            Deadline deadline =
                    request.deadline().map(at -> Deadline.of(at, clock)).orElse(Deadline.NEVER);
            return new Accepted(request, prompt, maxLength, deadline);
        } catch (InvalidRequestException e) {
            return refused(request, FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            log.error("request {} could not be prepared", request.id(), e);
            return refused(request, FailureCode.ENGINE_ERROR, "the prompt could not be prepared: " + e);
        }
    }

    private static void checkSupported(InferenceRequest request) {
        Operation operation = request.operation();
        if (operation != Operation.CHAT && operation != Operation.GENERATE) {
            throw new InvalidRequestException("operation", operation.wireName(), "chat or generate, for this model");
        }
        ResponseFormat format = request.sampling().responseFormat();
        if (!format.equals(ResponseFormat.TEXT)) {
            throw new InvalidRequestException("response_format", format.wireName(), ResponseFormat.TEXT.wireName());
        }
        request.extraBody().ifPresent(body -> {
            throw new InvalidRequestException("extra_body", body, "none: this model is not on a remote server");
        });
    }

    private void checkTokens(int[] prompt) {
        if (prompt.length == 0) {
            throw new InvalidRequestException("prompt_tokens", 0, "at least 1: the prompt is empty");
        }
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= codec.vocabSize()) {
                throw new InvalidRequestException(
                        "prompt_token_ids[" + i + "]", prompt[i], "0 to " + (codec.vocabSize() - 1));
            }
        }
    }

    private static Refused refused(InferenceRequest request, FailureCode code, String message) {
        return new Refused(Completion.Failed.of(request.id(), code, message));
    }
}
