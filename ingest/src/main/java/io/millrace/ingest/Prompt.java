package io.millrace.ingest;

import io.millrace.schemas.Message;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.ResponseFormat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A prompt as {@link PromptClient} sends it: the record, and what goes with it. Sampling parameters have OpenAI's and vLLM's
 * names; whether their values make sense is for the processor, which knows the model and answers wrong ones with {@code
 * INVALID_REQUEST}.
 *
 * @param request the record's value; without a {@code request_id} the client makes one for each time that it is sent
 * @param key the record's key, UTF-8: prompts with the same key share a partition; empty: the {@code request_id}
 * @param timeout how long its sender waits for the answer, above zero; empty: as the client does for all
 * @param headers record headers, UTF-8, which come back with the answer; {@code traceparent} may be among them
 */
public record Prompt(
        PromptRequest request, Optional<String> key, Optional<Duration> timeout, Map<String, String> headers) {

    /**
     * Checks what does not depend on a model.
     *
     * @throws IllegalArgumentException naming what is wrong, its value and what was expected
     */
    public Prompt {
        long inputs = Stream.of(request.getPrompt(), request.getMessages(), request.getPromptTokenIds())
                .filter(input -> input != null)
                .count();
        if (inputs != 1) {
            throw new IllegalArgumentException(
                    "inputs=" + inputs + ", expected=exactly one of prompt, messages and prompt_token_ids");
        }
        timeout.ifPresent(time -> PromptClientOptions.requireTimeout("timeout", time));
        headers = Map.copyOf(headers);
        if (headers.containsKey(Traceparent.HEADER)) {
            Traceparent.require(headers.get(Traceparent.HEADER));
        }
        if (headers.containsKey(PromptClient.CORRELATION_HEADER)) {
            throw new IllegalArgumentException("header=" + PromptClient.CORRELATION_HEADER
                    + ", expected=another name: the client tells its own answers by this one");
        }
    }

    /** One user message, put into the model's chat template. */
    public static Builder chat(String message) {
        return of(PromptRequest.newBuilder().setPrompt(message).build());
    }

    /** A conversation, to be given turn by turn: {@link Builder#system}, {@link Builder#user}, {@link Builder#assistant}. */
    public static Builder conversation() {
        return of(PromptRequest.newBuilder().setMessages(new ArrayList<>()).build());
    }

    /** A text to be continued as it is. */
    public static Builder generate(String text) {
        return of(PromptRequest.newBuilder()
                .setOperation("generate")
                .setPrompt(text)
                .build());
    }

    /** A text to be embedded. */
    public static Builder embed(String text) {
        return of(
                PromptRequest.newBuilder().setOperation("embed").setPrompt(text).build());
    }

    /** Goes on from a record that was made elsewhere; it is not changed. */
    public static Builder of(PromptRequest request) {
        return new Builder(PromptRequest.newBuilder(request));
    }

    /** Sets the record's fields by their names in Java's spelling; the record reference says what each means. Threads: one. */
    public static final class Builder {
        private final PromptRequest.Builder request;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private Optional<String> key = Optional.empty();
        private Optional<Duration> timeout = Optional.empty();

        private Builder(PromptRequest.Builder request) {
            this.request = request;
        }

        /** Returned with the answer. Prompts of one processor that deduplicates need one each. */
        public Builder requestId(String requestId) {
            request.setRequestId(requestId);
            return this;
        }

        /** A model of the processor's configuration; its default model where this is not called. */
        public Builder model(String model) {
            request.setModel(model);
            return this;
        }

        /** {@code chat}, {@code generate}, {@code embed}, {@code classify} or {@code rerank}. */
        public Builder operation(String operation) {
            request.setOperation(operation);
            return this;
        }

        /** Adds a turn that tells the model how to behave. */
        public Builder system(String content) {
            return message("system", content);
        }

        /** Adds a turn of the user's. */
        public Builder user(String content) {
            return message("user", content);
        }

        /** Adds a turn of the model's. */
        public Builder assistant(String content) {
            return message("assistant", content);
        }

        private Builder message(String role, String content) {
            List<Message> messages =
                    request.getMessages() == null ? new ArrayList<>() : new ArrayList<>(request.getMessages());
            messages.add(Message.newBuilder().setRole(role).setContent(content).build());
            request.setMessages(messages);
            return this;
        }

        /** Documents to score against the prompt, or labels to choose from. */
        public Builder documents(List<String> documents) {
            request.setDocuments(List.copyOf(documents));
            return this;
        }

        /** Most tokens to generate. */
        public Builder maxTokens(int maxTokens) {
            request.setMaxTokens(maxTokens);
            return this;
        }

        /** Tokens to generate before the answer may end. */
        public Builder minTokens(int minTokens) {
            request.setMinTokens(minTokens);
            return this;
        }

        /** Generate on past the end-of-sequence token. */
        public Builder ignoreEos() {
            request.setIgnoreEos(true);
            return this;
        }

        /** 0 is greedy. */
        public Builder temperature(double temperature) {
            request.setTemperature(temperature);
            return this;
        }

        /** Keep the fewest most probable tokens whose probabilities sum to at least this. */
        public Builder topP(double topP) {
            request.setTopP(topP);
            return this;
        }

        /** Keep this many most probable tokens. */
        public Builder topK(int topK) {
            request.setTopK(topK);
            return this;
        }

        /** Drop tokens less probable than this fraction of the most probable one. */
        public Builder minP(double minP) {
            request.setMinP(minP);
            return this;
        }

        /** Above 1: tokens that were there already become less probable. */
        public Builder repetitionPenalty(double repetitionPenalty) {
            request.setRepetitionPenalty(repetitionPenalty);
            return this;
        }

        /** Strings that end the answer. */
        public Builder stop(String... stop) {
            request.setStop(List.of(stop));
            return this;
        }

        /** Of this prompt's draws. */
        public Builder seed(long seed) {
            request.setSeed(seed);
            return this;
        }

        /** Report this many most probable tokens for each position. */
        public Builder logprobs(int logprobs) {
            request.setLogprobs(logprobs);
            return this;
        }

        /** An answer that is any JSON object. */
        public Builder jsonObject() {
            request.setResponseFormat(
                    ResponseFormat.newBuilder().setType("json_object").build());
            return this;
        }

        /** An answer that this JSON Schema, given as text, admits. */
        public Builder jsonSchema(String jsonSchema) {
            request.setResponseFormat(ResponseFormat.newBuilder()
                    .setType("json_schema")
                    .setJsonSchema(jsonSchema)
                    .build());
            return this;
        }

        /** A JSON object, as text, whose members go into the body that a remote model's server gets; other models refuse it. */
        public Builder extraBody(String extraBody) {
            request.setExtraBody(extraBody);
            return this;
        }

        /** Lower is earlier among waiting prompts. */
        public Builder priority(int priority) {
            request.setPriority(priority);
            return this;
        }

        /** The answer is of no use after this time. Absent: the time when the sender stops waiting. */
        public Builder deadline(Instant deadline) {
            request.setDeadline(deadline);
            return this;
        }

        /** On whose behalf; waiting tenants take turns. */
        public Builder tenant(String tenant) {
            request.setTenant(tenant);
            return this;
        }

        /** The bulk job that this is part of. */
        public Builder jobId(String jobId) {
            request.setJobId(jobId);
            return this;
        }

        /** One more entry that comes back unchanged with the answer. */
        public Builder metadata(String name, String value) {
            Map<String, String> metadata =
                    request.getMetadata() == null ? new HashMap<>() : new HashMap<>(request.getMetadata());
            metadata.put(name, value);
            request.setMetadata(metadata);
            return this;
        }

        /** The record's key in place of the request's id. */
        public Builder key(String recordKey) {
            key = Optional.of(recordKey);
            return this;
        }

        /** How long its sender waits for the answer, above zero. */
        public Builder timeout(Duration time) {
            timeout = Optional.of(time);
            return this;
        }

        /** Goes on with a trace, by W3C Trace Context: {@code 00-<32 hex>-<16 hex>-<2 hex>}. Absent: a new one begins. */
        public Builder traceparent(String traceparent) {
            return header(Traceparent.HEADER, traceparent);
        }

        /** One more record header. */
        public Builder header(String name, String value) {
            headers.put(name, value);
            return this;
        }

        /**
         * The prompt.
         *
         * @throws IllegalArgumentException as {@link Prompt}'s constructor does
         */
        public Prompt build() {
            return new Prompt(request.build(), key, timeout, headers);
        }
    }
}
