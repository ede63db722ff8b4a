package io.millrace.remote.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.FailureCode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerFaultsTest {

    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private static Fault fault(int status, String body) {
        return ServerFaults.of(status, Optional.empty(), body, NOW);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // vLLM
                "{\"object\":\"error\",\"message\":\"This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion). Please reduce the length of the messages or completion.\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
                "{\"error\":{\"message\":\"This model's maximum context length is 128000 tokens. However, you requested 65535 output tokens and your prompt contains at least 62466 input tokens, for a total of at least 128001 tokens.\",\"type\":\"BadRequestError\",\"code\":400}}",
                "{\"error\":{\"message\":\"The decoder prompt (length 5000) is longer than the maximum model length of 4096.\",\"code\":400}}",
                "{\"object\":\"error\",\"message\":\"max_tokens must be at least 1, got -186.\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
                "{\"error\":{\"message\":\"max_tokens=600 cannot be greater than max_model_len=max_total_tokens=512. Please request fewer output tokens. (parameter=max_tokens, value=600)\",\"type\":\"BadRequestError\",\"param\":\"max_tokens\",\"code\":400}}",
                // llama-server, older and newer
                "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size. try increasing the context size or enable context shift\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":14429,\"n_ctx\":8192}}",
                "{\"error\":{\"code\":400,\"message\":\"request (131168 tokens) exceeds the available context size (131072 tokens), try increasing it\",\"type\":\"exceed_context_size_error\"}}",
                "{\"error\":{\"code\":500,\"message\":\"input (600 tokens) is too large to process. increase the physical batch size (current batch size: 512)\",\"type\":\"server_error\"}}",
                "{\"error\":{\"message\":\"Requested tokens (2285) exceed context window of 2048\",\"type\":\"internal_server_error\"}}",
                // SGLang
                "{\"object\":\"error\",\"message\":\"The input (5000 tokens) is longer than the model's context length (4096 tokens).\",\"code\":400}",
                "{\"object\":\"error\",\"message\":\"Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 5000 tokens\"}",
                // TensorRT-LLM
                "{\"error\":\"Prompt length (5000) exceeds maximum input length (4096). Set log level to info and check TRTLLM logs\"}",
                "{\"error\":{\"message\":\"The sum of prompt length (5000.0) and query length (0.0) should not exceed max_num_tokens (4096)\"}}",
                // OpenAI
                "{\"error\":{\"message\":\"Your input is too long.\",\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}",
                "{\"error\":{\"message\":\"Input tokens exceed the configured limit of 272000 tokens.\",\"code\":\"x\"}}",
                // text-generation-inference
                "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 200 `max_new_tokens`\",\"error_type\":\"validation\"}",
                // LiteLLM: what a llama-server said, and what it counted for itself
                "{\"error\":{\"message\":\"litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - request (1201 tokens) exceeds the available context size (512 tokens), try increasing it\",\"type\":null,\"param\":null,\"code\":\"400\"}}",
                "{\"error\":{\"message\":\"litellm.ContextWindowExceededError: litellm.BadRequestError: litellm._pre_call_checks: Context Window exceeded for given call. No models have context window large enough for this call. Model=openai/smallone, Max Input Tokens=50, Got=108 model=small-window. context_window_fallbacks=None. fallbacks=None. Set 'context_window_fallback' - https://docs.litellm.ai/docs/routing#fallbacks. Received Model Group=small-window Available Model Group Fallbacks=None\",\"type\":null,\"param\":null,\"code\":\"400\"}}",
            })
    void shouldKnowAContextOverflowInAnyServersWords(String body) {
        assertThat(fault(400, body)).isInstanceOfSatisfying(Fault.Refused.class, refused -> {
            assertThat(refused.code()).isEqualTo(FailureCode.CONTEXT_LENGTH_EXCEEDED);
            assertThat(refused.kind()).isEqualTo(Fault.Kind.CONTEXT_LENGTH);
            assertThat(body).contains(refused.message());
        });
        assertThat(fault(500, body)).isInstanceOf(Fault.Refused.class);
        // an upstream that is away is away, whatever the page says
        assertThat(fault(503, body)).isInstanceOf(Fault.Away.class);
    }

    @ParameterizedTest
    @CsvSource({
        "429, RATE_LIMITED",
        "502, BAD_GATEWAY",
        "503, UNAVAILABLE",
        "401, MISCONFIGURED",
        "403, MISCONFIGURED",
        "404, NOT_FOUND",
        "405, NOT_FOUND",
        "407, MISCONFIGURED",
        "301, MISCONFIGURED",
        "204, MISCONFIGURED"
    })
    void shouldTakeAServerForAway(int status, Fault.Kind kind) {
        assertThat(fault(status, "{}")).isInstanceOf(Fault.Away.class);
        assertThat(fault(status, "{}").kind()).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource({"500, SERVER_ERROR", "504, TIMEOUT", "408, TIMEOUT"})
    void shouldTryAgain(int status, Fault.Kind kind) {
        assertThat(fault(status, "oops")).isEqualTo(new Fault.Broken(kind, "status=" + status + ": oops"));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 406, 413, 415, 422, 499, 501})
    void shouldTakeARequestForInvalid(int status) {
        assertThat(fault(status, "{\"error\":{\"message\":\"no\"}}")).isEqualTo(Fault.Refused.invalid("no"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'error':{'message':'a'}} | a",
                "{'error':'b'} | b",
                "{'message':'c'} | c",
                "{'detail':'d'} | d",
                "{'detail':[{'loc':['body','top_p'],'msg':'too large','type':'x'}]} | ['body','top_p']: too large",
                "{'unknown':1} | {'unknown':1}",
                "<html>  no </html> | <html> no </html>",
                "\"\" | no message",
            })
    void shouldFindTheServersWords(String body, String message) {
        Fault fault = fault(422, body.replace('\'', '"'));
        assertThat(fault.message()).isEqualTo(message.replace('\'', '"'));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer",
                "Unable to parse JSON bytes array: attempt to access JSON non-string as string"
            })
    void shouldTakeAValueOfAnotherTypeForInvalidWhateverTritonsStatus(String message) {
        assertThat(fault(500, "{\"error\":\"" + message + "\"}")).isEqualTo(Fault.Refused.invalid(message));
    }

    /** Triton's words, of a stream and of infer. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "400 | Stub process 'llm_0_0' is not healthy.",
                "500 | Failed to process the request(s) for model 'llm_0_0', message: Stub process 'llm_0_0' is not healthy.",
            })
    void shouldWaitWhereTheProcessOfAModelIsDead(int status, String message) {
        assertThat(fault(status, "{\"error\":\"" + message + "\"}"))
                .isEqualTo(
                        new Fault.Away(Fault.Kind.UNAVAILABLE, "status=" + status + ": " + message, Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 500})
    void shouldTryAgainWhatWasInABatchThatFailed(int status) {
        String message = "Failed to process the request(s) for model 'llm_0_0', message: ValueError: no";

        assertThat(fault(status, "{\"error\":\"" + message + "\"}"))
                .isEqualTo(new Fault.Broken(Fault.Kind.SERVER_ERROR, "status=" + status + ": " + message));
    }

    /** Words of LiteLLM 1.98.0. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "500 | litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.. Received Model Group=dead | BAD_GATEWAY",
                "500 | litellm.APIConnectionError: APIConnectionError: OpenAIException - Connection error. | BAD_GATEWAY",
                "500 | litellm.InternalServerError: InternalServerError: Hosted_vllmException - Cannot connect to host 127.0.0.1:8999 ssl:<ssl.SSLContext object at 0x7fafe79a42d0> [Connect call failed ('127.0.0.1', 8999)]. Received Model Group=dead-vllm | BAD_GATEWAY",
                "400 | /chat/completions: Invalid model name passed in model=none. Call `/v1/models` to view available models for your key. | NOT_FOUND",
                "400 | 400: {'error': '/completions: Invalid model name passed in model=none. Call `/v1/models` to view available models for your key.'} | NOT_FOUND",
                "400 | No connected db. | MISCONFIGURED",
                "401 | Authentication Error, No api key passed in. | MISCONFIGURED",
                "429 | No deployments available for selected model. | RATE_LIMITED",
                "429 | Budget has been exceeded! Current cost: 1.0, Max budget: 0.01 | RATE_LIMITED",
            })
    void shouldTakeAGatewayForAwayThatSaysSoInAnotherStatus(int status, String words, Fault.Kind kind) {
        Fault fault = fault(
                status,
                "{\"error\":{\"message\":\"" + words + "\",\"type\":null,\"param\":null,\"code\":\"" + status + "\"}}");

        assertThat(fault).isInstanceOf(Fault.Away.class);
        assertThat(fault.kind()).isEqualTo(kind);
        assertThat(fault.message()).startsWith("status=" + status + ": " + words);
    }

    @Test
    void shouldTakeAServerForAwayWhoseModelStartsAgain() {
        String message = "Backend Python process is stopped.";

        assertThat(fault(400, djl(400, "TranslateException", message)))
                .isEqualTo(new Fault.Away(Fault.Kind.UNAVAILABLE, "status=400: " + message, Optional.empty()));
        assertThat(fault(503, djl(503, "WlmException", "Model is not ready: smollm2"))
                        .kind())
                .isEqualTo(Fault.Kind.UNAVAILABLE);
        assertThat(fault(400, djl(400, "BadRequestException", "Parameter model_name is required.")))
                .isEqualTo(Fault.Refused.invalid("Parameter model_name is required."));
    }

    @Test
    void shouldTakeAValueOfAnotherTypeForInvalidWhateverDjlsStatus() {
        String message = "Input parsing failed: 1 validation error for ChatCompletionRequest\\ntemperature\\n"
                + "  Input should be a valid number";

        assertThat(fault(
                        500,
                        djl(
                                500,
                                "IllegalArgumentException",
                                "reasonPhrase contains one of the following prohibited characters: \\\\r\\\\n: "
                                        + message)))
                .isInstanceOfSatisfying(Fault.Refused.class, refused -> {
                    assertThat(refused.code()).isEqualTo(FailureCode.INVALID_REQUEST);
                    assertThat(refused.message())
                            .endsWith("1 validation error for ChatCompletionRequest temperature"
                                    + " Input should be a valid number");
                });
        assertThat(fault(500, djl(500, "IllegalArgumentException", "no such thing")))
                .isInstanceOf(Fault.Broken.class);
        assertThat(fault(424, "{\"error\":\"Input parsing failed: Expecting value: line 1 column 10\",\"code\":424}"))
                .isEqualTo(Fault.Refused.invalid("Input parsing failed: Expecting value: line 1 column 10"));
    }

    @Test
    void shouldSayWhereTheReasonIsThatDjlKeeps() {
        String body = "{\"code\":424,\"message\":\"Async Inference Failure service.invoke_handler_async() failure\","
                + "\"properties\":{},\"content\":{\"keys\":[],\"values\":[]},\"cancelled\":false}";

        assertThat(fault(424, body))
                .isEqualTo(Fault.Refused.invalid("Async Inference Failure service.invoke_handler_async() failure:"
                        + " the reason is in the server's log; a prompt longer than the context is one"));
    }

    /** As DJL-Serving itself says what is wrong. */
    private static String djl(int code, String type, String message) {
        return """
                {
                  "code": %d,
                  "type": "%s",
                  "message": "%s"
                }
                """.formatted(code, type, message);
    }

    @ParameterizedTest
    @CsvSource({"404, NOT_FOUND", "400, INVALID_REQUEST", "500, SERVER_ERROR"})
    void shouldFindWhatVllmMeantBehindDjl(int code, Fault.Kind kind) {
        String info = "error\\u003dErrorInfo(message\\u003d\\u0027The model `" + "x".repeat(600)
                + "` does not exist.\\u0027, type\\u003d\\u0027NotFoundError\\u0027, param\\u003d\\u0027model\\u0027, code\\u003d"
                + code + ")";

        Fault fault = fault(500, "{\"error\":\"" + info + "\",\"code\":500}");

        assertThat(fault.kind()).isEqualTo(kind);
        assertThat(fault.message()).contains("error=ErrorInfo(message='The model `xxx");
    }

    @Test
    void shouldCutALongMessage() {
        assertThat(fault(400, "x".repeat(10_000)).message()).hasSize(501).endsWith("x…");
    }

    @ParameterizedTest
    @CsvSource({
        "3, PT3S",
        "0, PT0S",
        "99999, PT10M",
        "'Fri, 02 Jan 2026 03:04:35 GMT', PT30S",
        "'Fri, 02 Jan 2026 03:00:00 GMT', PT0S"
    })
    void shouldReadRetryAfter(String header, Duration expected) {
        Fault fault = ServerFaults.of(429, Optional.of(header), "", NOW);
        assertThat(((Fault.Away) fault).retryAfter()).contains(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-3", "1.5", ""})
    void shouldNotReadWhatIsNoRetryAfter(String header) {
        assertThat(((Fault.Away) ServerFaults.of(503, Optional.of(header), "", NOW)).retryAfter())
                .isEmpty();
    }
}
