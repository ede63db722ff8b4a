package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Input.Message;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.ServerCall.Delivery;
import io.millrace.remote.protocol.ServerCall.PromptSize;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** OpenAI's API as OpenAI, vLLM, SGLang, TensorRT-LLM, NIM, llama-server and others speak it. */
public final class OpenAiProtocol implements Protocol {

    /** Members of a body that the engine sets and nobody else. */
    public static final Set<String> OURS = Set.of("stream", "stream_options", "n");

    private final String model;
    private final ObjectNode extraBody;

    /**
     * The protocol for a model.
     *
     * @param model the server's name for it
     * @param extraBody members of every body; null removes one
     */
    public OpenAiProtocol(String model, Map<String, Object> extraBody) {
        this.model = model;
        this.extraBody = Json.object(extraBody);
    }

    @Override
    public ServerCall call(InferenceRequest request) {
        return switch (request.operation()) {
            case CHAT -> chat(request);
            case GENERATE -> generate(request);
            case EMBED -> embed(request);
            case CLASSIFY, RERANK ->
                throw new InvalidRequestException(
                        "operation", request.operation().wireName(), "chat, generate or embed, for protocol openai");
        };
    }

    private ServerCall chat(InferenceRequest request) {
        List<Message> messages = switch (request.input()) {
            case Input.Conversation conversation -> conversation.messages();
            case Input.Text text -> List.of(new Message("user", text.text()));
            case Input.TokenIds _ -> throw wrongInput("prompt_token_ids", request.operation());
        };
        if (messages.isEmpty()) {
            throw new InvalidRequestException("messages", messages, "at least one");
        }
        ObjectNode body = Json.object().put("model", model);
        ArrayNode turns = body.putArray("messages");
        StringBuilder prefix = new StringBuilder();
        long chars = 0;
        for (Message message : messages) {
            turns.addObject().put("role", message.role()).put("content", message.content());
            chars += message.content().length();
            if (prefix.length() < PREFIX_CHARS) {
                prefix.append(message.role()).append('\n').append(Bodies.prefix(message.content()));
            }
        }
        SamplingParameters sampling = request.sampling();
        putGeneration(body, sampling);
        sampling.logprobs().ifPresent(top -> body.put("logprobs", true).put("top_logprobs", Math.max(1, top)));
        Bodies.mergeExtra(body, extraBody, request, OURS);
        return streamed("/chat/completions", body, sampling, new PromptSize(chars, 0), prefix.toString());
    }

    private ServerCall generate(InferenceRequest request) {
        ObjectNode body = Json.object().put("model", model);
        Prompt prompt = putPrompt(body, "prompt", request);
        SamplingParameters sampling = request.sampling();
        putGeneration(body, sampling);
        sampling.logprobs().ifPresent(top -> body.put("logprobs", Math.max(1, top)));
        Bodies.mergeExtra(body, extraBody, request, OURS);
        return streamed("/completions", body, sampling, prompt.size(), prompt.prefix());
    }

    private ServerCall embed(InferenceRequest request) {
        ObjectNode body = Json.object().put("model", model).put("encoding_format", "float");
        Prompt prompt = putPrompt(body, "input", request);
        Bodies.mergeExtra(body, extraBody, request, OURS);
        return new ServerCall(
                "/embeddings",
                Json.bytes(body),
                Delivery.WHOLE,
                prompt.size(),
                Bodies.prefix(prompt.prefix()),
                OpenAiEmbeddingReader::new);
    }

    private record Prompt(PromptSize size, String prefix) {}

    private static Prompt putPrompt(ObjectNode body, String member, InferenceRequest request) {
        return switch (request.input()) {
            case Input.Text text -> {
                body.put(member, text.text());
                yield new Prompt(new PromptSize(text.text().length(), 0), text.text());
            }
            case Input.TokenIds ids -> {
                ArrayNode array = body.putArray(member);
                ids.ids().forEach(array::add);
                List<Integer> first = ids.ids().subList(0, Math.min(ids.ids().size(), PREFIX_CHARS / 4));
                yield new Prompt(new PromptSize(0, ids.ids().size()), first.toString());
            }
            case Input.Conversation _ -> throw wrongInput("messages", request.operation());
        };
    }

    private static void putGeneration(ObjectNode body, SamplingParameters sampling) {
        Bodies.putSampling(body, sampling);
        if (!sampling.stop().isEmpty()) {
            ArrayNode stop = body.putArray("stop");
            sampling.stop().forEach(stop::add);
        }
        switch (sampling.responseFormat()) {
            case ResponseFormat.Text _ -> {}
            case ResponseFormat.JsonObject format ->
                body.putObject("response_format").put("type", format.wireName());
            case ResponseFormat.JsonSchema format ->
                body.putObject("response_format")
                        .put("type", format.wireName())
                        .putObject("json_schema")
                        .put("name", "answer")
                        .set("schema", Json.objectOf("response_format.json_schema", format.schema()));
        }
        body.put("stream", true).putObject("stream_options").put("include_usage", true);
    }

    private static ServerCall streamed(
            String path, ObjectNode body, SamplingParameters sampling, PromptSize size, String prefix) {
        return new ServerCall(
                path,
                Json.bytes(body),
                Delivery.STREAMED,
                size,
                Bodies.prefix(prefix),
                () -> new OpenAiStreamReader(sampling));
    }

    private static InvalidRequestException wrongInput(String field, Operation operation) {
        return new InvalidRequestException(field, "present", "absent, for operation " + operation.wireName());
    }
}
