package io.millrace.fuzz;

import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.OpenAiProtocol;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import io.millrace.remote.protocol.Protocol;
import io.millrace.remote.protocol.ServerCall;
import io.millrace.schemas.PromptRequest;
import io.millrace.streams.intake.RequestFactory;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Requests to model servers, one for each kind of answer. */
final class ServerCalls {

    private static final Protocol OPENAI = new OpenAiProtocol("m", Map.of());

    static final ServerCall CHAT = OPENAI.call(request(Operation.CHAT, null));
    static final ServerCall LOGPROBS = OPENAI.call(request(Operation.CHAT, 2));

    static final List<ServerCall> ALL = List.of(
            CHAT,
            LOGPROBS,
            OPENAI.call(request(Operation.GENERATE, 2)),
            OPENAI.call(request(Operation.EMBED, null)),
            openInference(OpenInferenceProtocol.Method.INFER).call(request(Operation.GENERATE, null)),
            openInference(OpenInferenceProtocol.Method.INFER).call(request(Operation.EMBED, null)),
            openInference(OpenInferenceProtocol.Method.GENERATE).call(request(Operation.GENERATE, null)),
            openInference(OpenInferenceProtocol.Method.GENERATE_STREAM).call(request(Operation.GENERATE, null)));

    private ServerCalls() {}

    private static Protocol openInference(OpenInferenceProtocol.Method method) {
        return new OpenInferenceProtocol("m", method, OpenInferenceProtocol.Tensors.DEFAULT, Map.of());
    }

    private static InferenceRequest request(Operation operation, @Nullable Integer logprobs) {
        PromptRequest prompt = PromptRequest.newBuilder()
                .setOperation(operation.wireName())
                .setPrompt("x")
                .setStop(List.of("END"))
                .setLogprobs(logprobs)
                .build();
        return RequestFactory.request("id", prompt, SamplingParameters.DEFAULT, 1, 0);
    }
}
