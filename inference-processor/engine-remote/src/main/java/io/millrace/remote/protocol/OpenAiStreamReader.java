package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Output;
import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.Answer.TokenCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The chunks of chat/completions and completions; also the one body of a server that does not stream. */
final class OpenAiStreamReader implements AnswerReader {

    private final SamplingParameters sampling;
    private final StringBuilder text = new StringBuilder();
    private final List<PositionLogprobs> logprobs = new ArrayList<>();
    private @Nullable String finishReason;
    private TokenCounts tokens = TokenCounts.UNKNOWN;
    private Optional<String> model = Optional.empty();
    private Optional<String> fingerprint = Optional.empty();
    private int parts;

    OpenAiStreamReader(SamplingParameters sampling) {
        this.sampling = sampling;
    }

    @Override
    public void accept(JsonNode chunk) throws FaultException {
        if (!chunk.isObject()) {
            throw FaultException.broken("chunk=" + Json.shorten(chunk.toString()) + ", expected=a JSON object");
        }
        if (chunk.hasNonNull("error") || isMessageInPlaceOfAnswer(chunk)) {
            throw new FaultException(ServerFaults.inStream(chunk));
        }
        model = Json.text(chunk, "model").or(() -> model);
        fingerprint = Json.text(chunk, "system_fingerprint").or(() -> fingerprint);
        JsonNode usage = chunk.path("usage");
        if (usage.isObject()) {
            int cached = Json.count(usage.path("prompt_tokens_details"), "cached_tokens")
                    .orElse(0);
            tokens =
                    new TokenCounts(Json.count(usage, "prompt_tokens"), cached, Json.count(usage, "completion_tokens"));
        }
        JsonNode choice = chunk.path("choices").path(0);
        if (choice.isObject()) {
            acceptChoice(choice);
        }
    }

    /** As DJL-Serving ends a stream whose model has died. */
    private static boolean isMessageInPlaceOfAnswer(JsonNode chunk) {
        return chunk.path("code").isInt() && chunk.path("message").isTextual() && !chunk.has("choices");
    }

    private void acceptChoice(JsonNode choice) throws FaultException {
        JsonNode turn = choice.has("delta") ? choice.path("delta") : choice.path("message");
        Optional<String> said = Json.text(turn, "content").or(() -> Json.text(choice, "text"));
        said.ifPresent(text::append);
        if (said.isPresent() || Json.text(turn, "reasoning_content").isPresent()) {
            parts++;
        }
        if (sampling.logprobs().isPresent() && choice.path("logprobs").isObject()) {
            logprobs.addAll(OpenAiLogprobs.read(
                    choice.path("logprobs"), sampling.logprobs().getAsInt()));
        }
        finishReason = Json.text(choice, "finish_reason").orElse(finishReason);
    }

    @Override
    public int parts() {
        return parts;
    }

    @Override
    public String text() {
        return text.toString();
    }

    @Override
    public Answer answer() throws FaultException {
        FinishReason reason = finishReason();
        if (sampling.logprobs().isPresent() && logprobs.isEmpty() && !text.isEmpty()) {
            throw OpenAiLogprobs.notTold(sampling.logprobs().getAsInt());
        }
        List<Integer> ids = logprobs.stream().map(PositionLogprobs::tokenId).toList();
        Output output = new Output.Text(Bodies.cutAtStop(text.toString(), sampling), List.of(), ids, logprobs);
        return new Answer(output, reason, tokens, version());
    }

    private FinishReason finishReason() throws FaultException {
        if (finishReason == null) {
            throw FaultException.broken("finish_reason=absent, expected=one before the stream ends");
        }
        return switch (finishReason) {
            case "stop" -> FinishReason.STOP;
            case "length" -> FinishReason.LENGTH;
            case "content_filter" ->
                throw new FaultException(
                        Fault.Refused.invalid("finish_reason=content_filter: the server's filter ended the answer"));
            case "tool_calls", "function_call" ->
                throw new FaultException(
                        Fault.Refused.invalid("finish_reason=" + finishReason + ", expected=stop or length: no tools"));
            // a server that shuts down ends what runs with "abort"
            default ->
                throw FaultException.broken(
                        "finish_reason=" + Json.shorten(finishReason) + ", expected=stop or length");
        };
    }

    /** The model that answered, and the build or configuration that it ran in. */
    private Optional<String> version() {
        return model.isPresent() && fingerprint.isPresent()
                ? Optional.of(model.get() + " " + fingerprint.get())
                : model.or(() -> fingerprint);
    }
}
