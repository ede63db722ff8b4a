package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.Answer.TokenCounts;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The events of Triton's generate_stream, each with what was generated since the one before. None says that it is the last: an
 * answer is whole when the server has ended the response, or at a stop string, of which Triton's protocol knows nothing.
 */
final class GenerateStreamReader implements AnswerReader {

    private final String output;
    private final SamplingParameters sampling;
    private final StringBuilder text = new StringBuilder();
    private OptionalInt inputTokens = OptionalInt.empty();
    private OptionalInt outputTokens = OptionalInt.empty();
    private Optional<String> finishReason = Optional.empty();
    private Optional<String> version = Optional.empty();
    private int parts;
    private boolean hasOutput;
    private boolean hasEnded;
    private boolean hasStopped;

    /** @param output the tensor that holds the text */
    GenerateStreamReader(String output, SamplingParameters sampling) {
        this.output = output;
        this.sampling = sampling;
    }

    @Override
    public void accept(JsonNode event) throws FaultException {
        if (event.hasNonNull("error")) {
            throw new FaultException(ServerFaults.inStream(event));
        }
        String more = OpenInferenceReader.text(output, event.path(output));
        hasOutput = true;
        if (!more.isEmpty()) {
            text.append(more);
            parts++;
            hasStopped |= Bodies.stopsSince(text, text.length() - more.length(), sampling);
        }
        version = Json.text(event, "model_version").or(() -> version);
        // what the vLLM backend adds where extra_body asks for it: of the whole prompt, and of this event
        OptionalInt input = Json.count(event, "num_input_tokens");
        inputTokens = input.isPresent() ? input : inputTokens;
        OptionalInt generated = Json.count(event, "num_output_tokens");
        if (generated.isPresent()) {
            outputTokens = OptionalInt.of(outputTokens.orElse(0) + generated.getAsInt());
        }
        finishReason = Json.text(event, "finish_reason").or(() -> finishReason);
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
    public boolean isComplete() {
        return hasStopped;
    }

    @Override
    public void ended() {
        hasEnded = true;
    }

    @Override
    public Answer answer() throws FaultException {
        if (!hasEnded && !hasStopped) {
            throw FaultException.broken("stream=cut off, expected=its end");
        }
        if (!hasOutput) {
            throw FaultException.broken("stream=empty, expected=" + output);
        }
        return new Answer(
                new Output.Text(Bodies.cutAtStop(text.toString(), sampling), List.of(), List.of(), List.of()),
                hasStopped ? FinishReason.STOP : OpenInferenceReader.finishReason(finishReason),
                new TokenCounts(inputTokens, 0, outputTokens),
                version);
    }
}
