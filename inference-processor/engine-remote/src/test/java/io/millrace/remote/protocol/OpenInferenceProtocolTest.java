package io.millrace.remote.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Input.Message;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenInferenceProtocolTest {

    private static final Input TEXT = new Input.Text("hello");
    private static final OpenInferenceProtocol GENERATE = new OpenInferenceProtocol(
            "my model", Method.GENERATE, Tensors.DEFAULT, Map.of("exclude_input_in_output", true));
    private static final OpenInferenceProtocol INFER =
            new OpenInferenceProtocol("embedder", Method.INFER, new Tensors("TEXT", List.of(1, 1), "VECTOR"), Map.of());

    private static InferenceRequest request(Operation operation, Input input, SamplingParameters sampling) {
        return new InferenceRequest("r", operation, input, sampling, Optional.empty(), 7, 0, "", Optional.empty(), 0);
    }

    private static Answer read(ServerCall call, String body) throws FaultException {
        AnswerReader reader = call.reader().get();
        reader.accept(Json.parse(body.replace('\'', '"')));
        return reader.answer();
    }

    @Test
    void shouldUseTritonsGenerate() throws FaultException {
        SamplingParameters sampling =
                SamplingParameters.builder().maxTokens(5).stop(List.of("!")).build();
        ServerCall call = GENERATE.call(request(Operation.GENERATE, TEXT, sampling));

        assertThat(call.path()).isEqualTo("/v2/models/my%20model/generate");
        assertThat(call.delivery()).isEqualTo(ServerCall.Delivery.WHOLE);
        assertThat(new String(call.body(), StandardCharsets.UTF_8))
                .isEqualTo(
                        "{\"text_input\":\"hello\",\"parameters\":{\"max_tokens\":5,\"temperature\":1.0,\"top_p\":1.0},"
                                + "\"exclude_input_in_output\":true}");

        Answer answer = read(call, "{'model_name':'m','model_version':'3','text_output':'hi! there'}");
        assertThat(((Output.Text) answer.output()).text()).isEqualTo("hi");
        assertThat(answer.version()).contains("3");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void shouldReadWhatTheVllmBackendAdds() throws FaultException {
        ServerCall call = GENERATE.call(request(Operation.GENERATE, TEXT, SamplingParameters.DEFAULT));
        Answer answer = read(
                call, "{'text_output':['hi'],'finish_reason':'length','num_input_tokens':4,'num_output_tokens':9}");

        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.tokens().prompt()).hasValue(4);
        assertThat(answer.tokens().completion()).hasValue(9);
    }

    private static final OpenInferenceProtocol STREAM =
            new OpenInferenceProtocol("m", Method.GENERATE_STREAM, Tensors.DEFAULT, Map.of());

    private static AnswerReader streamed(SamplingParameters sampling, String... events) throws FaultException {
        AnswerReader reader = STREAM.call(request(Operation.GENERATE, TEXT, sampling))
                .reader()
                .get();
        for (String event : events) {
            reader.accept(Json.parse(event.replace('\'', '"')));
        }
        return reader;
    }

    @Test
    void shouldAskForAStream() {
        ServerCall call = STREAM.call(request(Operation.GENERATE, TEXT, SamplingParameters.DEFAULT));

        assertThat(call.path()).isEqualTo("/v2/models/m/generate_stream");
        assertThat(call.delivery()).isEqualTo(ServerCall.Delivery.STREAMED);
        assertThat(new String(call.body(), StandardCharsets.UTF_8))
                .isEqualTo(
                        "{\"text_input\":\"hello\",\"stream\":true,\"parameters\":{\"temperature\":1.0,\"top_p\":1.0}}");
    }

    @Test
    void shouldPutTheEventsOfAStreamTogether() throws FaultException {
        AnswerReader reader = streamed(
                SamplingParameters.builder().stop(List.of("END")).build(),
                "{'text_output':'hi','finish_reason':'None','num_input_tokens':4,'num_output_tokens':1,'model_version':'3'}",
                "{'text_output':[''],'finish_reason':'None','num_input_tokens':4,'num_output_tokens':0}",
                "{'text_output':' thereEND.','finish_reason':'length','num_input_tokens':4,'num_output_tokens':2}");
        assertThat(reader.parts()).isEqualTo(2);
        assertThat(reader.text()).isEqualTo("hi thereEND.");

        reader.ended();
        Answer answer = reader.answer();
        assertThat(((Output.Text) answer.output()).text()).isEqualTo("hi there");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(answer.tokens().prompt()).hasValue(4);
        assertThat(answer.tokens().completion()).hasValue(3);
        assertThat(answer.version()).contains("3");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "b END | true | a b | STOP", // over three events
                "NO,END | true | a b b | STOP",
                "EN | true | a b b | STOP",
                "a b EN | false | a b b END c | LENGTH",
                "'' | false | a b b END c | LENGTH",
            })
    void shouldBeCompleteAtAStopString(String stop, boolean complete, String expected, FinishReason reason)
            throws FaultException {
        List<String> strings = stop.isEmpty() ? List.of() : List.of(stop.split(",", -1));
        AnswerReader reader = streamed(
                SamplingParameters.builder().stop(strings).build(),
                "{'text_output':'a b'}",
                "{'text_output':' b E'}",
                "{'text_output':'ND c','finish_reason':'length'}");
        assertThat(reader.isComplete()).isEqualTo(complete);
        if (!complete) {
            reader.ended();
        }

        Answer answer = reader.answer();

        assertThat(((Output.Text) answer.output()).text().strip()).isEqualTo(expected.strip());
        assertThat(answer.finishReason()).isEqualTo(reason);
    }

    @Test
    void shouldPassOverStopStringsWhereThereIsALeastLength() throws FaultException {
        AnswerReader reader = streamed(
                SamplingParameters.builder().stop(List.of("b")).minTokens(2).build(), "{'text_output':'a b'}");

        assertThat(reader.isComplete()).isFalse();
    }

    @Test
    void shouldSayThatAWholeAnswerStoppedAtAStopString() throws FaultException {
        ServerCall call = GENERATE.call(request(
                Operation.GENERATE,
                TEXT,
                SamplingParameters.builder().stop(List.of("b")).build()));

        Answer cut = read(call, "{'text_output':'a b','finish_reason':'length'}");
        Answer whole = read(call, "{'text_output':'a','finish_reason':'length'}");

        assertThat(((Output.Text) cut.output()).text()).isEqualTo("a ");
        assertThat(cut.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(whole.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void shouldNotTakeABeginningForTheAnswer() throws FaultException {
        AnswerReader reader = streamed(SamplingParameters.DEFAULT, "{'text_output':'hi'}");

        assertThatThrownBy(reader::answer).hasMessage("stream=cut off, expected=its end");
    }

    @Test
    void shouldNotTakeAStreamWithoutTextForAnAnswer() throws FaultException {
        AnswerReader empty = streamed(SamplingParameters.DEFAULT);
        empty.ended();

        assertThatThrownBy(empty::answer).hasMessage("stream=empty, expected=text_output");
        assertThatThrownBy(() -> streamed(SamplingParameters.DEFAULT, "{'other':'hi'}"))
                .hasMessage("text_output=, expected=a text of BYTES");
        assertThatThrownBy(() -> streamed(SamplingParameters.DEFAULT, "{'error':'boom'}"))
                .hasMessage("status=500: boom");
        AnswerReader aborted = streamed(SamplingParameters.DEFAULT, "{'text_output':'hi','finish_reason':'abort'}");
        aborted.ended();
        assertThatThrownBy(aborted::answer).hasMessage("finish_reason=abort, expected=stop or length");
    }

    @Test
    void shouldInferWithNamedTensors() throws FaultException {
        ServerCall call = INFER.call(request(Operation.EMBED, TEXT, SamplingParameters.DEFAULT));

        assertThat(call.path()).isEqualTo("/v2/models/embedder/infer");
        assertThat(new String(call.body(), StandardCharsets.UTF_8))
                .isEqualTo(
                        "{\"inputs\":[{\"name\":\"TEXT\",\"datatype\":\"BYTES\",\"shape\":[1,1],\"data\":[\"hello\"]}],"
                                + "\"outputs\":[{\"name\":\"VECTOR\"}]}");

        Answer answer = read(
                call,
                "{'model_version':'1','outputs':[{'name':'OTHER','data':[9]},{'name':'VECTOR','datatype':'FP32','shape':[1,2],'data':[0.5,-1]}]}");
        assertThat(answer.output()).isEqualTo(new Output.Embedding(List.of(0.5f, -1f)));
    }

    @Test
    void shouldInferText() throws FaultException {
        ServerCall call = INFER.call(request(Operation.GENERATE, TEXT, SamplingParameters.GREEDY));

        assertThat(new String(call.body(), StandardCharsets.UTF_8))
                .endsWith("\"parameters\":{\"temperature\":0.0,\"top_p\":1.0}}");
        Answer answer = read(call, "{'outputs':[{'name':'VECTOR','datatype':'BYTES','shape':[1],'data':['hi']}]}");
        assertThat(((Output.Text) answer.output()).text()).isEqualTo("hi");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'outputs':[{'name':'A'},{'name':'B'}]} | outputs=[A, B], expected=VECTOR",
                "{'outputs':[{'name':'VECTOR','data':[7]}]} | VECTOR=7, expected=a text of BYTES",
                "{'error':'unknown tensor'} | status=500: unknown tensor",
            })
    void shouldNotTakeWhatIsNoAnswer(String body, String message) {
        ServerCall call = INFER.call(request(Operation.GENERATE, TEXT, SamplingParameters.DEFAULT));
        assertThatThrownBy(() -> read(call, body))
                .isInstanceOf(FaultException.class)
                .hasMessage(message);
    }

    @Test
    void shouldRefuseWhatTheProtocolCannotSay() {
        assertThatThrownBy(() -> GENERATE.call(request(Operation.EMBED, TEXT, SamplingParameters.DEFAULT)))
                .hasMessage("operation=embed, expected=generate, for protocol open-inference");
        assertThatThrownBy(() -> INFER.call(request(Operation.CHAT, TEXT, SamplingParameters.DEFAULT)))
                .hasMessage("operation=chat, expected=generate or embed, for protocol open-inference");
        assertThatThrownBy(() -> GENERATE.call(request(
                        Operation.GENERATE,
                        new Input.Conversation(List.of(new Message("user", "x"))),
                        SamplingParameters.DEFAULT)))
                .hasMessage("input=messages or token ids, expected=text, for protocol open-inference");
        assertThatThrownBy(() -> GENERATE.call(request(
                        Operation.GENERATE,
                        TEXT,
                        SamplingParameters.builder()
                                .responseFormat(new ResponseFormat.JsonObject())
                                .build())))
                .hasMessage("response_format=json_object, expected=text, for protocol open-inference");
        assertThatThrownBy(() -> GENERATE.call(request(
                        Operation.GENERATE,
                        TEXT,
                        SamplingParameters.builder().logprobs(1).build())))
                .hasMessage("logprobs=1, expected=absent, for protocol open-inference");
    }
}
