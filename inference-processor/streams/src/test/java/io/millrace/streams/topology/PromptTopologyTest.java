package io.millrace.streams.topology;

import static io.millrace.streams.topology.TopologyHarness.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.MatrixRow;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Rejection;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.records.DeadLetterHeaders;
import io.millrace.streams.records.Sink;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTopologyTest {

    private static final String TOO_DEEP =
            "{'a':[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}";

    private TopologyHarness harness = new TopologyHarness();

    @AfterEach
    void close() {
        harness.close();
    }

    @Test
    void shouldAnswerAPromptWithAllThatItCarried() {
        harness.send("{\"request_id\":\"r1\",\"prompt\":\"hello\",\"tenant\":\"t\",\"job_id\":\"j\","
                + "\"metadata\":{\"a\":\"b\"}}");

        TestRecord<byte[], InferenceResult> record = only(harness.results());
        InferenceResult result = record.value();
        assertThat(record.key()).isEqualTo(utf8("key"));
        assertThat(result.getRequestId()).isEqualTo("r1");
        assertThat(result.getText()).isEqualTo("hello");
        assertThat(result.getModel()).isEqualTo("echo");
        assertThat(result.getModelVersion()).isEqualTo("1");
        assertThat(result.getModelDigest()).isEqualTo("sha256:00");
        assertThat(result.getEndpoint()).isEqualTo("here");
        assertThat(result.getOperation()).isEqualTo("chat");
        assertThat(result.getFinishReason()).isEqualTo("stop");
        assertThat(result.getTenant()).isEqualTo("t");
        assertThat(result.getJobId()).isEqualTo("j");
        assertThat(result.getMetadata()).containsExactly(Map.entry("a", "b"));
        assertThat(result.getUsage().getCachedPromptTokens()).isEqualTo(1);
        assertThat(result.getTimings().getQueueMs()).isEqualTo(1.0);
        assertThat(result.getSource().getTopic()).isEqualTo("prompts");
        assertThat(result.getSource().getPartition()).isZero();
        assertThat(result.getSource().getOffset()).isZero();
        assertThat(result.getSource().getTimestamp()).isEqualTo(TopologyHarness.START);
        assertThat(harness.failures()).isEmpty();
        assertThat(harness.storedEntries()).isZero();
        assertThat(harness.gate.pending()).isZero();
    }

    @Test
    void shouldReportTheCostOfAnAnswer() {
        harness.send("{\"request_id\":\"r1\",\"prompt\":\"hello\",\"tenant\":\"t\"}");

        TestRecord<byte[], InferenceMetrics> record = only(harness.metrics());
        InferenceMetrics metrics = record.value();
        assertThat(record.key()).isEqualTo(utf8("echo"));
        assertThat(metrics.getRequestId()).isEqualTo("r1");
        assertThat(metrics.getInstance()).isEqualTo("instance-1");
        assertThat(metrics.getOutcome()).isEqualTo("stop");
        assertThat(metrics.getSteps()).isEqualTo(4);
        assertThat(metrics.getBatchSizeMean()).isEqualTo(1.5);
        assertThat(metrics.getRecoveries()).isZero();
        assertThat(metrics.getTenant()).isEqualTo("t");
    }

    @Test
    void shouldPassAllHeadersThrough() {
        List<Header> headers = List.of(
                new RecordHeader("traceparent", utf8("00-1-2-01")),
                new RecordHeader("ce_type", utf8("prompt")),
                new RecordHeader("millrace.correlation_id", utf8("c-1")),
                new RecordHeader("mine", new byte[] {1, 2}),
                new RecordHeader("mine", new byte[] {3}));

        harness.send(utf8("k"), utf8("{\"prompt\":\"hello\"}"), headers);
        harness.send(utf8("k"), utf8("{\"prompt\":\"fail\"}"), headers);
        harness.send(utf8("k"), new byte[] {0, 1}, headers);

        assertThat(only(harness.results()).headers().toArray()).containsExactlyElementsOf(headers);
        assertThat(only(harness.failures()).headers().toArray()).containsExactlyElementsOf(headers);
        assertThat(harness.metrics())
                .hasSize(2)
                .allSatisfy(metrics -> assertThat(metrics.headers().toArray()).containsExactlyElementsOf(headers));
        assertThat(only(harness.deadLetters()).headers().toArray()).startsWith(headers.toArray(Header[]::new));
    }

    @Test
    void shouldKeepWhatTellsASenderItsFailureWhereHeadersAreTooMany() {
        restart(8192, Map.of(Sink.FAILURES, 4096L, Sink.DEAD_LETTERS, 4096L));
        List<Header> kept = List.of(
                new RecordHeader("traceparent", utf8("00-1-2-01")),
                new RecordHeader("tracestate", utf8("vendor=1")),
                new RecordHeader("millrace.correlation_id", utf8("c-1")));
        List<Header> many = new ArrayList<>(kept);
        many.add(1, new RecordHeader("mine", new byte[5000]));

        harness.send(utf8("k"), utf8("{\"prompt\":\"fail\"}"), many);
        harness.send(utf8("k"), new byte[] {0, 1}, many);
        harness.send(utf8("k"), utf8("{\"prompt\":\"" + "x".repeat(10_000) + "\"}"), many);

        assertThat(harness.failures())
                .hasSize(3)
                .allSatisfy(failure -> assertThat(failure.headers().toArray()).containsExactlyElementsOf(kept));
    }

    @Test
    @MatrixRow("corrupt Avro, oversized prompt, timestamp -1, null key")
    void shouldKeepTheAbsenceOfAKey() {
        harness.send(null, utf8("{\"prompt\":\"hello\"}"), List.of());

        assertThat(only(harness.results()).key()).isNull();
    }

    @Test
    void shouldNameARequestByItsPlaceWhereItHasNoId() {
        harness.send("{\"prompt\":\"a\"}");
        harness.send("{\"prompt\":\"b\"}");

        assertThat(harness.results())
                .extracting(record -> record.value().getRequestId())
                .containsExactly("prompts-0-0", "prompts-0-1");
    }

    @Test
    void shouldGiveTheEngineTheSameSeedEachTimeAndAnotherForEachOffset() {
        harness.send("{\"prompt\":\"a\"}");
        harness.send("{\"prompt\":\"a\"}");
        long first = harness.engine.submitted().get(0).seed();
        long second = harness.engine.submitted().get(1).seed();
        harness.close();

        harness = new TopologyHarness();
        harness.send("{\"prompt\":\"a\"}");

        assertThat(harness.engine.submitted().getFirst().seed())
                .isEqualTo(first)
                .isNotEqualTo(second);
    }

    @Test
    @MatrixRow("corrupt Avro, oversized prompt, timestamp -1, null key")
    void shouldKeepUndecodableBytesAsADeadLetter() {
        byte[] garbage = {0, 1, 2, (byte) 0xff};
        harness.send(utf8("k"), garbage, List.of(new RecordHeader("mine", utf8("x"))));

        TestRecord<byte[], byte[]> letter = only(harness.deadLetters());
        assertThat(letter.key()).isEqualTo(utf8("k"));
        assertThat(letter.value()).isEqualTo(garbage);
        assertThat(header(letter.headers(), "mine")).isEqualTo("x");
        assertThat(header(letter.headers(), DeadLetterHeaders.EXCEPTION))
                .isEqualTo("org.apache.kafka.common.errors.SerializationException");
        assertThat(header(letter.headers(), DeadLetterHeaders.MESSAGE)).isNotBlank();
        assertThat(header(letter.headers(), DeadLetterHeaders.STACKTRACE)).contains("SerializationException");
        assertThat(header(letter.headers(), DeadLetterHeaders.TOPIC)).isEqualTo("prompts");
        assertThat(header(letter.headers(), DeadLetterHeaders.PARTITION)).isEqualTo("0");
        assertThat(header(letter.headers(), DeadLetterHeaders.OFFSET)).isEqualTo("0");
        assertThat(harness.results()).isEmpty();
        assertThat(harness.failures()).isEmpty();
        assertThat(harness.storedEntries()).isZero();
    }

    @Test
    void shouldNameDeadLetterHeadersAsKafkaStreamsDoes() {
        assertThat(List.of(
                        DeadLetterHeaders.EXCEPTION,
                        DeadLetterHeaders.MESSAGE,
                        DeadLetterHeaders.STACKTRACE,
                        DeadLetterHeaders.TOPIC,
                        DeadLetterHeaders.PARTITION,
                        DeadLetterHeaders.OFFSET))
                .containsExactly(
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils.HEADER_ERRORS_EXCEPTION_NAME,
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils
                                .HEADER_ERRORS_EXCEPTION_MESSAGE_NAME,
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils.HEADER_ERRORS_STACKTRACE_NAME,
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils.HEADER_ERRORS_TOPIC_NAME,
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils.HEADER_ERRORS_PARTITION_NAME,
                        org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils.HEADER_ERRORS_OFFSET_NAME);
    }

    @Test
    void shouldFailAPromptWithoutAValue() {
        harness.send(utf8("k"), null, List.of());

        assertFailure(FailureCode.INVALID_REQUEST, "value=null, expected=a PromptRequest");
    }

    @Test
    void shouldFailAPromptWithoutInput() {
        harness.send("{\"request_id\":\"r1\"}");

        InferenceFailure failure = assertFailure(
                FailureCode.INVALID_REQUEST,
                "prompt=absent, expected=exactly one of prompt, messages, prompt_token_ids");
        assertThat(failure.getRequestId()).isEqualTo("r1");
        assertThat(failure.getRetriable()).isFalse();
    }

    @Test
    void shouldFailAPromptWithTwoInputs() {
        harness.send("{\"prompt\":\"a\",\"prompt_token_ids\":[1]}");

        assertFailure(
                FailureCode.INVALID_REQUEST,
                "input=prompt and prompt_token_ids, expected=exactly one of prompt, messages, prompt_token_ids");
    }

    @Test
    void shouldFailAnUnknownOperationNamingIt() {
        harness.send("{\"prompt\":\"a\",\"operation\":\"sing\"}");

        assertFailure(
                FailureCode.INVALID_REQUEST, "operation=sing, expected=one of chat, generate, embed, classify, rerank");
    }

    @Test
    void shouldFailAParameterOutOfRangeNamingIt() {
        harness.send("{\"prompt\":\"a\",\"temperature\":3.5}");

        assertFailure(FailureCode.INVALID_REQUEST, "temperature=3.5, expected=0 to 2");
    }

    @Test
    void shouldHandTheExtraBodyToTheEngineAsItIs() {
        harness.send("{\"prompt\":\"a\",\"extra_body\":\"{\\\"guided_choice\\\": [\\\"yes\\\"]}\"}");
        harness.send("{\"prompt\":\"b\"}");

        assertThat(harness.engine.submitted())
                .extracting(InferenceRequest::extraBody)
                .containsExactly(Optional.of("{\"guided_choice\": [\"yes\"]}"), Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[1]", "1", "null", "{", "{} {}", "{a:1}", "{'a':1,'a':2}", TOO_DEEP})
    void shouldFailAnExtraBodyThatIsNoObject(String body) {
        harness.send("{\"prompt\":\"a\",\"extra_body\":\"" + body.replace("'", "\\\"") + "\"}");

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.INVALID_REQUEST);
        assertThat(failure.getMessage()).startsWith("extra_body=").endsWith(", expected=a JSON object");
    }

    @Test
    void shouldFailAWrongFieldWithTheIdThatCouldBeRead() {
        harness.send("{\"request_id\":\"r9\",\"tenant\":\"t\",\"prompt\":\"a\",\"temprature\":1}");

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.INVALID_REQUEST);
        assertThat(failure.getRequestId()).isEqualTo("r9");
        assertThat(failure.getTenant()).isEqualTo("t");
        assertThat(failure.getMessage()).contains("temprature").contains("temperature");
    }

    @Test
    void shouldFailAnUnknownRoleNamingItsPlace() {
        harness.send("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"robot\",\"content\":\"b\"}]}");

        assertFailure(FailureCode.INVALID_REQUEST, "messages[1].role=robot, expected=one of system, user, assistant");
    }

    @Test
    void shouldFailAnUnknownModelListingTheKnownOnes() {
        harness.send("{\"request_id\":\"r1\",\"prompt\":\"a\",\"model\":\"gpt\"}");

        InferenceFailure failure = assertFailure(FailureCode.MODEL_NOT_FOUND, "model=gpt, expected=one of echo");
        assertThat(failure.getModel()).isEqualTo("gpt");
    }

    @Test
    void shouldReportAnEnginesFailureAndAnswerTheOthers() {
        harness.send("{\"prompt\":\"a\"}");
        harness.send("{\"prompt\":\"fail\"}");
        harness.send("{\"prompt\":\"b\"}");

        InferenceFailure failure = assertFailure(FailureCode.ENGINE_ERROR, "told to fail");
        assertThat(failure.getRetriable()).isTrue();
        assertThat(harness.results()).hasSize(2);
        assertThat(harness.metrics())
                .extracting(record -> record.value().getOutcome())
                .containsExactly("stop", "ENGINE_ERROR", "stop");
    }

    @Test
    void shouldOutliveAnEngineThatThrows() {
        harness.send("{\"prompt\":\"throw\"}");
        harness.send("{\"prompt\":\"a\"}");

        assertFailure(FailureCode.ENGINE_ERROR, "the engine threw: java.lang.IllegalStateException: told to throw");
        assertThat(harness.results()).hasSize(1);
    }

    @Test
    @MatrixRow("corrupt Avro, oversized prompt, timestamp -1, null key")
    void shouldFailAPromptThatTheStoreCannotTakeWithoutItsPayload() {
        restart(8192, Map.of());
        harness.send("{\"prompt\":\"" + "x".repeat(10_000) + "\"}");
        harness.send("{\"prompt\":\"small\"}");

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.PROMPT_TOO_LARGE);
        assertThat(failure.getMessage()).matches("record=10\\d\\d\\d bytes, expected=at most 8192 bytes");
        assertThat(failure.getRequestId()).isEqualTo("prompts-0-0");
        assertThat(harness.results()).hasSize(1);
        assertThat(harness.storedEntries()).isZero();
    }

    @Test
    void shouldFailAPromptWhoseHeadersAndKeyAreTooLarge() {
        restart(8192, Map.of(Sink.FAILURES, 4096L, Sink.METRICS, 4096L));
        harness.send(new byte[6000], utf8("{\"prompt\":\"a\"}"), List.of(new RecordHeader("h", new byte[6000])));

        TestRecord<byte[], InferenceFailure> failure = only(harness.failures());
        assertThat(failure.value().getCode()).isEqualTo(FailureCode.PROMPT_TOO_LARGE);
        assertThat(failure.key()).isNull();
        assertThat(failure.headers().toArray()).isEmpty();
    }

    @Test
    @MatrixRow("result too large")
    void shouldFailAResultThatItsTopicDoesNotTake() {
        restart(1 << 20, Map.of(Sink.RESULTS, 50_000L));
        harness.send("{\"request_id\":\"r1\",\"prompt\":\"big:60000\"}");
        harness.send("{\"prompt\":\"big:40000\"}");

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.RESULT_TOO_LARGE);
        assertThat(failure.getRequestId()).isEqualTo("r1");
        assertThat(failure.getMessage())
                .matches("result=60\\d\\d\\d bytes, expected=at most 50000 bytes \\(max.message.bytes of topic results,"
                        + " or the producer's max.request.size\\)");
        assertThat(failure.getUsage().getCompletionTokens()).isEqualTo(2);
        assertThat(harness.results()).hasSize(1);
    }

    @Test
    void shouldShortenAFailureUntilItFits() {
        restart(1 << 20, Map.of(Sink.FAILURES, 4096L, Sink.METRICS, 4096L));
        String long10k = "y".repeat(10_000);
        harness.send(
                utf8("k"),
                utf8("{\"request_id\":\"" + long10k + "\",\"tenant\":\"" + long10k + "\",\"model\":\"" + long10k
                        + "\",\"prompt\":\"a\",\"metadata\":{\"m\":\"" + long10k + "\"}}"),
                List.of(new RecordHeader("h", new byte[10_000])));

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.MODEL_NOT_FOUND);
        assertThat(failure.getRequestId()).isEqualTo("prompts-0-0");
        assertThat(failure.getSource().getOffset()).isZero();
        assertThat(harness.metrics()).hasSize(1);
    }

    @Test
    void shouldReportUndecodableBytesThatTheDeadLettersDoNotTake() {
        restart(1 << 20, Map.of(Sink.DEAD_LETTERS, 4096L));
        byte[] garbage = new byte[5000];
        Arrays.fill(garbage, (byte) 1);
        harness.send(utf8("k"), garbage, List.of());

        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(FailureCode.PROMPT_TOO_LARGE);
        assertThat(failure.getMessage()).contains("dead-letters").contains("cannot be decoded either");
        assertThat(harness.deadLetters()).isEmpty();
    }

    @Test
    void shouldAnswerOutOfOrder() {
        harness.engine.holding(text -> text.equals("slow"));
        harness.send("{\"request_id\":\"slow\",\"prompt\":\"slow\"}");
        harness.send("{\"request_id\":\"quick\",\"prompt\":\"quick\"}");

        assertThat(harness.results())
                .extracting(record -> record.value().getRequestId())
                .containsExactly("quick");
        assertThat(harness.storedEntries()).isEqualTo(1);

        harness.engine.release();
        harness.passTime();

        assertThat(harness.results())
                .extracting(record -> record.value().getRequestId())
                .containsExactly("slow");
        assertThat(harness.storedEntries()).isZero();
    }

    @Test
    void shouldKeepAPromptThatTheEngineRefusesAndTryAgain() {
        harness.engine.refuse(new Rejection(Rejection.Reason.QUEUE_FULL, "full"));
        harness.send("{\"prompt\":\"a\"}");
        harness.send("{\"prompt\":\"b\"}");
        harness.passTime();

        assertThat(harness.storedEntries()).isEqualTo(2);
        assertThat(harness.laterTasks).as("one timer for all that wait").hasSize(1);
        assertThat(harness.gate.isClosed()).as("a full engine is no reason").isFalse();

        harness.engine.accept();
        harness.runLaterTasks();
        harness.passTime();

        assertThat(harness.results())
                .extracting(record -> record.value().getText())
                .containsExactly("a", "b");
    }

    @Test
    void shouldCloseTheGateWhileTheEngineIsDown() {
        harness.engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "down"));
        harness.send("{\"prompt\":\"a\"}");

        assertThat(harness.gate.closures()).containsExactly(new Closure(Closure.Reason.ENGINE, "echo"));

        harness.engine.accept();
        harness.runLaterTasks();
        harness.passTime();

        assertThat(harness.gate.isClosed()).isFalse();
        assertThat(harness.results()).hasSize(1);
    }

    @Test
    @MatrixRow("registry down for a minute")
    void shouldCloseTheGateAndDropNothingWhileTheRegistryIsDown() {
        AtomicBoolean down = new AtomicBoolean(true);
        Deserializer<PromptRequest> json = RecordSerdes.deserializer(PromptRequest.class, Map.of());
        harness.close();
        harness = new TopologyHarness(1 << 20, Map.of(), new Deserializer<PromptRequest>() {
            @Override
            public PromptRequest deserialize(String topic, byte[] data) {
                if (down.get()) {
                    throw new RegistryUnavailableException("registry=nowhere, expected=an answer");
                }
                return json.deserialize(topic, data);
            }
        });
        harness.send("{\"prompt\":\"a\"}");
        harness.passTime();

        assertThat(harness.gate.closures()).containsExactly(new Closure(Closure.Reason.REGISTRY, "prompts"));
        assertThat(harness.deadLetters()).isEmpty();
        assertThat(harness.failures()).isEmpty();
        assertThat(harness.storedEntries()).isEqualTo(1);

        down.set(false);
        harness.runLaterTasks();
        harness.passTime();

        assertThat(harness.gate.isClosed()).isFalse();
        assertThat(harness.results()).hasSize(1);
    }

    @Test
    void shouldKeepADecoderThatBreaksFromStoppingThePartition() {
        harness.close();
        harness = new TopologyHarness(1 << 20, Map.of(), new Deserializer<PromptRequest>() {
            @Override
            public PromptRequest deserialize(String topic, byte[] data) {
                throw new IllegalStateException("broken");
            }
        });
        harness.send("{}");

        assertThat(header(only(harness.deadLetters()).headers(), DeadLetterHeaders.MESSAGE))
                .isEqualTo("the decoder broke: java.lang.IllegalStateException: broken");
    }

    @Test
    void shouldPutAPlainPromptIntoAConversationForChatOnly() {
        harness.send("{\"prompt\":\"a\",\"operation\":\"chat\"}");
        harness.send("{\"prompt\":\"a\",\"operation\":\"generate\"}");

        assertThat(harness.engine.submitted())
                .extracting(request -> request.input().getClass().getSimpleName())
                .containsExactly("Conversation", "Text");
        assertThat(TestEngine.text(harness.engine.submitted().getFirst())).isEqualTo("a");
    }

    private void restart(long pendingBytes, Map<Sink, Long> outputBytes) {
        harness.close();
        harness = new TopologyHarness(
                pendingBytes, outputBytes, RecordSerdes.deserializer(PromptRequest.class, Map.of()));
    }

    private InferenceFailure assertFailure(FailureCode code, String message) {
        InferenceFailure failure = only(harness.failures()).value();
        assertThat(failure.getCode()).isEqualTo(code);
        assertThat(failure.getMessage()).isEqualTo(message);
        assertThat(harness.deadLetters()).isEmpty();
        assertThat(harness.storedEntries()).isZero();
        return failure;
    }

    private static <T> T only(List<T> all) {
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    private static String header(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        assertThat(header).as(name).isNotNull();
        return new String(header.value(), StandardCharsets.UTF_8);
    }
}
