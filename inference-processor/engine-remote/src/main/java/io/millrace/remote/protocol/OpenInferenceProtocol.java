package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.ServerCall.Delivery;
import io.millrace.remote.protocol.ServerCall.PromptSize;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The Open Inference Protocol (KServe v2, Triton) over HTTP, with JSON bodies. It knows no chat templates and no stop strings: what
 * follows a stop string is cut off here.
 */
public final class OpenInferenceProtocol implements Protocol {

    /** Members of a body that the engine sets and nobody else. */
    public static final Set<String> OURS = Set.of("inputs", "outputs");

    private final Method method;
    private final String path;
    private final Tensors tensors;
    private final ObjectNode extraBody;

    /** A call of the protocol. */
    public enum Method {
        /** Named tensors in, named tensors out. */
        INFER("/infer"),
        /** Triton's extension for language models: text in, text out. */
        GENERATE("/generate"),
        /** The same, as events. Triton sees that nobody listens any more only when it writes one, and not with the others. */
        GENERATE_STREAM("/generate_stream");

        private final String path;

        Method(String path) {
            this.path = path;
        }
    }

    /**
     * A model's tensors.
     *
     * @param input takes the text, BYTES
     * @param inputShape of {@code input}, one element: {@code [1]}, or {@code [1, 1]} where the first is a batch
     * @param output holds the answer: text of BYTES, or a vector of FP32 for embed
     */
    public record Tensors(String input, List<Integer> inputShape, String output) {

        /** Triton's names for language models. */
        public static final Tensors DEFAULT = new Tensors("text_input", List.of(1), "text_output");

        public Tensors {
            inputShape = List.copyOf(inputShape);
        }
    }

    /**
     * The protocol for a model.
     *
     * @param model the server's name for it
     * @param extraBody members of every body; null removes one
     */
    public OpenInferenceProtocol(String model, Method method, Tensors tensors, Map<String, Object> extraBody) {
        this.method = method;
        this.tensors = tensors;
        this.extraBody = Json.object(extraBody);
        path = pathOf(model) + method.path;
    }

    /** Where a model's paths begin, after the endpoint's url. */
    public static String pathOf(String model) {
        return "/v2/models/" + URLEncoder.encode(model, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public ServerCall call(InferenceRequest request) {
        checkSupported(request);
        if (!(request.input() instanceof Input.Text(String text))) {
            throw new InvalidRequestException("input", "messages or token ids", "text, for protocol open-inference");
        }
        SamplingParameters sampling = request.sampling();
        ObjectNode body = Json.object();
        switch (method) {
            case INFER -> {
                ObjectNode input = body.putArray("inputs").addObject();
                input.put("name", tensors.input()).put("datatype", "BYTES");
                tensors.inputShape().forEach(input.withArray("shape")::add);
                input.putArray("data").add(text);
                body.putArray("outputs").addObject().put("name", tensors.output());
            }
            case GENERATE -> body.put(tensors.input(), text);
            // an input of those models that can stream; of others a parameter that nobody reads
            case GENERATE_STREAM -> body.put(tensors.input(), text).put("stream", true);
        }
        if (request.operation() == Operation.GENERATE) {
            Bodies.putSampling(body.putObject("parameters"), sampling);
        }
        Bodies.mergeExtra(body, extraBody, request, OURS);
        return new ServerCall(
                path,
                Json.bytes(body),
                method == Method.GENERATE_STREAM ? Delivery.STREAMED : Delivery.WHOLE,
                new PromptSize(text.length(), 0),
                Bodies.prefix(text),
                () -> method == Method.GENERATE_STREAM
                        ? new GenerateStreamReader(tensors.output(), sampling)
                        : new OpenInferenceReader(method, tensors, request.operation(), sampling));
    }

    private void checkSupported(InferenceRequest request) {
        boolean known = request.operation() == Operation.GENERATE
                || (request.operation() == Operation.EMBED && method == Method.INFER);
        if (!known) {
            String expected = method == Method.INFER ? "generate or embed" : "generate";
            throw new InvalidRequestException(
                    "operation", request.operation().wireName(), expected + ", for protocol open-inference");
        }
        SamplingParameters sampling = request.sampling();
        if (!sampling.responseFormat().equals(ResponseFormat.TEXT)) {
            throw new InvalidRequestException(
                    "response_format", sampling.responseFormat().wireName(), "text, for protocol open-inference");
        }
        if (sampling.logprobs().isPresent()) {
            throw new InvalidRequestException(
                    "logprobs", sampling.logprobs().getAsInt(), "absent, for protocol open-inference");
        }
    }
}
