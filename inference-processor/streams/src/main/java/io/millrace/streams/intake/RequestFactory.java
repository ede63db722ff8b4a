package io.millrace.streams.intake;

import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.InvalidFieldException;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.PromptIdentity;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Prompt records to engine requests, from the topic or from elsewhere. Pure. */
public final class RequestFactory {

    private RequestFactory() {}

    /** What outputs repeat of a prompt. */
    static PromptIdentity identity(Origin origin, PromptRequest prompt) {
        String requestId = prompt.getRequestId();
        return new PromptIdentity(
                requestId == null ? origin.id() : requestId,
                prompt.getModel(),
                prompt.getOperation(),
                prompt.getTenant(),
                prompt.getJobId(),
                prompt.getMetadata());
    }

    /** The same of a prompt with a wrong field, as far as it could be read. */
    static PromptIdentity identity(Origin origin, InvalidFieldException e) {
        return new PromptIdentity(
                e.requestId().orElseGet(origin::id),
                nullable(e.model()),
                "",
                nullable(e.tenant()),
                nullable(e.jobId()),
                e.metadata());
    }

    /**
     * The request as the engine gets it.
     *
     * @param defaults the model's, for what the prompt leaves out
     * @throws io.millrace.engine.InvalidRequestException naming field, value and what was expected
     */
    static InferenceRequest request(Work work, PromptRequest prompt, SamplingParameters defaults) {
        return request(work.engineId(), prompt, defaults, work.seed(), work.admittedNanos());
    }

    /**
     * The request that a prompt record makes.
     *
     * @param id unique among the requests in flight
     * @param defaults for what the prompt leaves out
     * @param seed of the draws, where the prompt has none
     * @param admittedNanos {@link System#nanoTime} at admission
     * @throws io.millrace.engine.InvalidRequestException naming field, value and what was expected
     */
    public static InferenceRequest request(
            String id, PromptRequest prompt, SamplingParameters defaults, long seed, long admittedNanos) {
        Operation operation = PromptReader.operation(prompt);
        return new InferenceRequest(
                id,
                operation,
                PromptReader.input(prompt, operation),
                sampling(prompt, defaults),
                PromptReader.extraBody(prompt),
                seed,
                prompt.getPriority(),
                prompt.getTenant() == null ? "" : prompt.getTenant(),
                Optional.ofNullable(prompt.getDeadline()),
                admittedNanos);
    }

    /**
     * What a prompt record works on.
     *
     * @throws io.millrace.engine.InvalidRequestException naming field, value and what was expected
     */
    public static Input input(PromptRequest prompt) {
        return PromptReader.input(prompt, PromptReader.operation(prompt));
    }

    private static SamplingParameters sampling(PromptRequest prompt, SamplingParameters defaults) {
        SamplingParameters.Builder sampling = defaults.toBuilder();
        ifPresent(prompt.getMaxTokens(), sampling::maxTokens);
        ifPresent(prompt.getMinTokens(), sampling::minTokens);
        ifPresent(prompt.getIgnoreEos(), sampling::ignoreEos);
        ifPresent(prompt.getTemperature(), sampling::temperature);
        ifPresent(prompt.getTopP(), sampling::topP);
        ifPresent(prompt.getTopK(), sampling::topK);
        ifPresent(prompt.getMinP(), sampling::minP);
        ifPresent(prompt.getRepetitionPenalty(), sampling::repetitionPenalty);
        ifPresent(prompt.getStop(), sampling::stop);
        ifPresent(prompt.getSeed(), sampling::seed);
        ifPresent(prompt.getLogprobs(), sampling::logprobs);
        ifPresent(prompt.getResponseFormat(), format -> sampling.responseFormat(responseFormat(format)));
        return sampling.build();
    }

    private static ResponseFormat responseFormat(io.millrace.schemas.ResponseFormat format) {
        return switch (format.getType()) {
            case "text" -> ResponseFormat.TEXT;
            case "json_object" -> new ResponseFormat.JsonObject();
            case "json_schema" -> new ResponseFormat.JsonSchema(jsonSchema(format));
            default ->
                throw new InvalidRequestException(
                        "response_format.type", format.getType(), "one of text, json_object, json_schema");
        };
    }

    private static String jsonSchema(io.millrace.schemas.ResponseFormat format) {
        String schema = format.getJsonSchema();
        if (schema == null) {
            throw new InvalidRequestException("response_format.json_schema", "absent", "a JSON Schema");
        }
        return schema;
    }

    private static <T> void ifPresent(@Nullable T value, Consumer<? super T> use) {
        if (value != null) {
            use.accept(value);
        }
    }

    private static @Nullable String nullable(Optional<String> value) {
        return value.isPresent() ? value.get() : null;
    }
}
