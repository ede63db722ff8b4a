package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The body of infer and generate. */
final class OpenInferenceReader implements AnswerReader {

    private final Method method;
    private final Tensors tensors;
    private final Operation operation;
    private final SamplingParameters sampling;
    private @Nullable Output output;
    private FinishReason finishReason = FinishReason.STOP;
    private TokenCounts tokens = TokenCounts.UNKNOWN;
    private Optional<String> version = Optional.empty();

    OpenInferenceReader(Method method, Tensors tensors, Operation operation, SamplingParameters sampling) {
        this.method = method;
        this.tensors = tensors;
        this.operation = operation;
        this.sampling = sampling;
    }

    @Override
    public void accept(JsonNode body) throws FaultException {
        if (body.hasNonNull("error")) {
            throw new FaultException(ServerFaults.inStream(body));
        }
        version = Json.text(body, "model_version");
        JsonNode data = method == Method.INFER ? tensor(body) : body.path(tensors.output());
        // what the vLLM backend adds where extra_body asks for it
        tokens = new TokenCounts(Json.count(body, "num_input_tokens"), 0, Json.count(body, "num_output_tokens"));
        finishReason = finishReason(Json.text(body, "finish_reason"));
        if (operation == Operation.EMBED) {
            output = new Output.Embedding(OpenAiEmbeddingReader.vector(data));
        } else {
            String whole = text(tensors.output(), data);
            String text = Bodies.cutAtStop(whole, sampling);
            output = new Output.Text(text, List.of(), List.of(), List.of());
            finishReason = text.length() < whole.length() ? FinishReason.STOP : finishReason;
        }
    }

    private JsonNode tensor(JsonNode body) throws FaultException {
        List<String> names = new ArrayList<>();
        for (JsonNode each : body.path("outputs")) {
            if (each.path("name").asText().equals(tensors.output())) {
                return each.path("data");
            }
            names.add(each.path("name").asText());
        }
        throw FaultException.broken("outputs=" + Json.shorten(names.toString()) + ", expected=" + tensors.output());
    }

    /** Of a tensor of one element, which Triton's generate sends as it is. */
    static String text(String tensor, JsonNode data) throws FaultException {
        JsonNode value = data.isArray() ? data.path(0) : data;
        if (!value.isTextual()) {
            throw FaultException.broken(tensor + "=" + Json.shorten(value.toString()) + ", expected=a text of BYTES");
        }
        return value.textValue();
    }

    /** As the vLLM backend says it where {@code extra_body} asks for it. */
    static FinishReason finishReason(Optional<String> said) throws FaultException {
        return switch (said.orElse("stop")) {
            case "length" -> FinishReason.LENGTH;
            case "abort" -> throw FaultException.broken("finish_reason=abort, expected=stop or length");
            default -> FinishReason.STOP;
        };
    }

    @Override
    public int parts() {
        return output == null ? 0 : 1;
    }

    @Override
    public String text() {
        return "";
    }

    @Override
    public Answer answer() throws FaultException {
        if (output == null) {
            throw FaultException.broken("body=empty, expected=" + tensors.output());
        }
        return new Answer(output, finishReason, tokens, version);
    }
}
