package io.millrace.remote.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Input.Message;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.Output.TokenLogprob;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.ServerCall.Delivery;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiProtocolTest {

    private static final OpenAiProtocol PROTOCOL = new OpenAiProtocol("served", Map.of());
    private static final Input TEXT = new Input.Text("hello");

    private static InferenceRequest request(Operation operation, Input input, SamplingParameters sampling) {
        return request(operation, input, sampling, Optional.empty());
    }

    private static InferenceRequest request(
            Operation operation, Input input, SamplingParameters sampling, Optional<String> extraBody) {
        return new InferenceRequest("r", operation, input, sampling, extraBody, 7, 0, "", Optional.empty(), 0);
    }

    private static String body(ServerCall call) {
        return new String(call.body(), StandardCharsets.UTF_8);
    }

    private static String body(Operation operation, Input input, SamplingParameters sampling) {
        return body(PROTOCOL.call(request(operation, input, sampling)));
    }

    @Test
    void shouldSendAConversation() {
        Input input = new Input.Conversation(List.of(new Message("system", "be brief"), new Message("user", "hello")));
        ServerCall call = PROTOCOL.call(request(Operation.CHAT, input, SamplingParameters.DEFAULT));

        assertThat(call.path()).isEqualTo("/chat/completions");
        assertThat(call.delivery()).isEqualTo(Delivery.STREAMED);
        assertThat(call.size()).isEqualTo(new ServerCall.PromptSize(13, 0));
        assertThat(call.prefix()).isEqualTo("system\nbe briefuser\nhello");
        assertThat(body(call))
                .isEqualTo(
                        "{\"model\":\"served\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hello\"}],"
                                + "\"temperature\":1.0,\"top_p\":1.0,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    }

    @Test
    void shouldSendWhatOpenAiDoesNotKnowOnlyWhereItIsAskedFor() {
        SamplingParameters all = SamplingParameters.builder()
                .maxTokens(9)
                .minTokens(2)
                .ignoreEos(true)
                .temperature(0.5)
                .topP(0.9)
                .topK(40)
                .minP(0.05)
                .repetitionPenalty(1.1)
                .stop(List.of("a", "b"))
                .seed(3)
                .logprobs(0)
                .build();
        assertThat(body(Operation.CHAT, TEXT, all))
                .isEqualTo(
                        "{\"model\":\"served\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],"
                                + "\"max_tokens\":9,\"temperature\":0.5,\"top_p\":0.9,\"seed\":3,\"top_k\":40,\"min_p\":0.05,"
                                + "\"repetition_penalty\":1.1,\"min_tokens\":2,\"ignore_eos\":true,\"stop\":[\"a\",\"b\"],"
                                + "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"logprobs\":true,\"top_logprobs\":1}");
    }

    @Test
    void shouldSendATextToContinue() {
        ServerCall call = PROTOCOL.call(request(
                Operation.GENERATE,
                TEXT,
                SamplingParameters.builder().logprobs(5).build()));

        assertThat(call.path()).isEqualTo("/completions");
        assertThat(body(call))
                .isEqualTo("{\"model\":\"served\",\"prompt\":\"hello\",\"temperature\":1.0,\"top_p\":1.0,"
                        + "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"logprobs\":5}");
    }

    @Test
    void shouldSendTokenIdsAsTheyAre() {
        ServerCall call = PROTOCOL.call(
                request(Operation.GENERATE, new Input.TokenIds(List.of(1, 2, 3)), SamplingParameters.DEFAULT));

        assertThat(call.size()).isEqualTo(new ServerCall.PromptSize(0, 3));
        assertThat(body(call)).contains("\"prompt\":[1,2,3]");
    }

    @Test
    void shouldAskForAnEmbedding() throws FaultException {
        ServerCall call = PROTOCOL.call(request(Operation.EMBED, TEXT, SamplingParameters.DEFAULT));

        assertThat(call.path()).isEqualTo("/embeddings");
        assertThat(call.delivery()).isEqualTo(Delivery.WHOLE);
        assertThat(body(call)).isEqualTo("{\"model\":\"served\",\"encoding_format\":\"float\",\"input\":\"hello\"}");

        AnswerReader reader = call.reader().get();
        reader.accept(
                Json.parse(
                        "{\"model\":\"e-1\",\"data\":[{\"index\":0,\"embedding\":[0.5,-1,2e-3]}],\"usage\":{\"prompt_tokens\":2}}"));
        Answer answer = reader.answer();
        assertThat(answer.output()).isEqualTo(new Output.Embedding(List.of(0.5f, -1f, 0.002f)));
        assertThat(answer.tokens().prompt()).hasValue(2);
        assertThat(answer.version()).contains("e-1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | embedding=, expected=an array of numbers",
                "{\"data\":[{\"embedding\":[]}]} | embedding=[], expected=an array of numbers",
                "{\"data\":[{\"embedding\":\"AACAPw==\"}]} | embedding=\"AACAPw==\", expected=an array of numbers",
                "{\"data\":[{\"embedding\":[1,null]}]} | embedding: null, expected=a number",
            })
    void shouldNotTakeWhatIsNoEmbedding(String body, String message) {
        AnswerReader reader = new OpenAiEmbeddingReader();
        assertThatThrownBy(() -> reader.accept(Json.parse(body)))
                .isInstanceOf(FaultException.class)
                .hasMessage(message);
    }

    @Test
    void shouldSendResponseFormats() {
        SamplingParameters object = SamplingParameters.builder()
                .responseFormat(new ResponseFormat.JsonObject())
                .build();
        SamplingParameters schema = SamplingParameters.builder()
                .responseFormat(new ResponseFormat.JsonSchema("{\"type\":\"object\"}"))
                .build();
        assertThat(body(Operation.CHAT, TEXT, object)).contains("\"response_format\":{\"type\":\"json_object\"}");
        assertThat(body(Operation.GENERATE, TEXT, schema))
                .contains(
                        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"schema\":{\"type\":\"object\"}}}");
        SamplingParameters broken = SamplingParameters.builder()
                .responseFormat(new ResponseFormat.JsonSchema("{"))
                .build();
        assertThatThrownBy(() -> body(Operation.CHAT, TEXT, broken))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("response_format.json_schema={, expected=a JSON object");
    }

    @Test
    void shouldMergeTheModelsBodyAndThenTheRequests() {
        Map<String, Object> ofModel = new HashMap<>();
        ofModel.put("top_p", null);
        ofModel.put("guided_regex", "[a-z]+");
        ofModel.put("chat_template_kwargs", Map.of("a", 1, "b", 2));
        OpenAiProtocol protocol = new OpenAiProtocol("served", ofModel);

        String body = body(protocol.call(request(
                Operation.GENERATE,
                TEXT,
                SamplingParameters.DEFAULT,
                Optional.of("{\"guided_regex\":\"[0-9]+\",\"priority\":5,\"chat_template_kwargs\":{\"a\":null}}"))));

        assertThat(body)
                .contains("\"guided_regex\":\"[0-9]+\"", "\"priority\":5", "\"chat_template_kwargs\":{\"b\":2}")
                .doesNotContain("top_p");
        assertThat(body(protocol.call(request(Operation.GENERATE, TEXT, SamplingParameters.DEFAULT))))
                .as("the model's stays as it was")
                .contains("\"guided_regex\":\"[a-z]+\"", "\"a\":1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"stream\":false} | extra_body.stream=present, expected=absent: the engine sets it",
                "{\"n\":2} | extra_body.n=present, expected=absent: the engine sets it",
                "[1] | extra_body=[1], expected=a JSON object",
                "{} x | extra_body={} x, expected=a JSON object",
            })
    void shouldRefuseAnExtraBodyThatItCannotSend(String extraBody, String message) {
        assertThatThrownBy(() -> PROTOCOL.call(
                        request(Operation.CHAT, TEXT, SamplingParameters.DEFAULT, Optional.of(extraBody))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage(message);
    }

    @Test
    void shouldRefuseWhatTheProtocolCannotSay() {
        Input conversation = new Input.Conversation(List.of(new Message("user", "x")));
        assertThatThrownBy(() -> body(Operation.RERANK, TEXT, SamplingParameters.DEFAULT))
                .hasMessage("operation=rerank, expected=chat, generate or embed, for protocol openai");
        assertThatThrownBy(() -> body(Operation.GENERATE, conversation, SamplingParameters.DEFAULT))
                .hasMessage("messages=present, expected=absent, for operation generate");
        assertThatThrownBy(() -> body(Operation.CHAT, new Input.TokenIds(List.of(1)), SamplingParameters.DEFAULT))
                .hasMessage("prompt_token_ids=present, expected=absent, for operation chat");
        assertThatThrownBy(() -> body(Operation.CHAT, new Input.Conversation(List.of()), SamplingParameters.DEFAULT))
                .hasMessage("messages=[], expected=at least one");
    }

    private static Answer read(SamplingParameters sampling, String... chunks) throws FaultException {
        AnswerReader reader = new OpenAiStreamReader(sampling);
        for (String chunk : chunks) {
            JsonNode json = Json.parse(chunk.replace('\'', '"'));
            reader.accept(json);
        }
        return reader.answer();
    }

    @Test
    void shouldPutAChatTogether() throws FaultException {
        Answer answer = read(
                SamplingParameters.DEFAULT,
                "{'model':'m-2024','system_fingerprint':'fp_1','choices':[{'delta':{'role':'assistant','content':''}}],'usage':null}",
                "{'choices':[{'delta':{'content':'Hel'},'finish_reason':null}]}",
                "{'choices':[{'delta':{'content':'lo'},'finish_reason':null}]}",
                "{'choices':[{'delta':{},'finish_reason':'length'}]}",
                "{'choices':[],'usage':{'prompt_tokens':12,'completion_tokens':2,'prompt_tokens_details':{'cached_tokens':8}}}");

        assertThat(((Output.Text) answer.output()).text()).isEqualTo("Hello");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.tokens()).isEqualTo(new Answer.TokenCounts(OptionalInt.of(12), 8, OptionalInt.of(2)));
        assertThat(answer.version()).contains("m-2024 fp_1");
    }

    @Test
    void shouldPutACompletionTogether() throws FaultException {
        Answer answer = read(
                SamplingParameters.DEFAULT,
                "{'choices':[{'text':'Hel','finish_reason':null}]}",
                "{'choices':[{'text':'lo','finish_reason':'stop'}]}");

        assertThat(((Output.Text) answer.output()).text()).isEqualTo("Hello");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(answer.tokens()).isEqualTo(Answer.TokenCounts.UNKNOWN);
    }

    @Test
    void shouldCountReasoningAsGeneratedAndLeaveItOut() throws FaultException {
        AnswerReader reader = new OpenAiStreamReader(SamplingParameters.DEFAULT);
        reader.accept(Json.parse("{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}"));
        assertThat(reader.parts()).isEqualTo(1);
        assertThat(reader.text()).isEmpty();
    }

    @Test
    void shouldCutAtAStopStringThatTheServerLeftIn() throws FaultException {
        SamplingParameters stop =
                SamplingParameters.builder().stop(List.of("END", "lo")).build();
        String chunk = "{'choices':[{'text':'Hello END','finish_reason':'stop'}]}";

        assertThat(((Output.Text) read(stop, chunk).output()).text()).isEqualTo("Hel");
        assertThat(((Output.Text)
                                read(stop.toBuilder().maxTokens(9).minTokens(3).build(), chunk)
                                        .output())
                        .text())
                .as("min_tokens lets stop strings pass")
                .isEqualTo("Hello END");
    }

    @Test
    void shouldReadLogprobsOfLlamaServer() throws FaultException {
        SamplingParameters two = SamplingParameters.builder().logprobs(2).build();
        Answer answer = read(
                two,
                "{'choices':[{'delta':{'content':'a'},'logprobs':{'content':[{'id':64,'token':'a','logprob':-0.5,"
                        + "'top_logprobs':[{'id':65,'token':'b','logprob':-1},{'id':64,'token':'a','logprob':-0.5},{'id':66,'token':'c','logprob':-3}]}]},'finish_reason':'stop'}]}");

        Output.Text output = (Output.Text) answer.output();
        assertThat(output.tokenIds()).containsExactly(64);
        assertThat(output.logprobs())
                .containsExactly(new PositionLogprobs(
                        64, -0.5f, List.of(new TokenLogprob(64, -0.5f), new TokenLogprob(65, -1f))));
    }

    @Test
    void shouldReadLogprobsOfVllm() throws FaultException {
        SamplingParameters one = SamplingParameters.builder().logprobs(1).build();
        Answer chat = read(
                one,
                "{'choices':[{'delta':{'content':'a'},'logprobs':{'content':[{'token':'token_id:64','logprob':-0.5,"
                        + "'top_logprobs':[{'token':'token_id:64','logprob':-0.5}]}]},'finish_reason':'stop'}]}");
        Answer completion = read(
                one,
                "{'choices':[{'text':'a','logprobs':{'tokens':['token_id:64'],'token_logprobs':[-0.5],"
                        + "'top_logprobs':[{'token_id:64':-0.5}]},'finish_reason':'stop'}]}");

        List<PositionLogprobs> expected =
                List.of(new PositionLogprobs(64, -0.5f, List.of(new TokenLogprob(64, -0.5f))));
        assertThat(((Output.Text) chat.output()).logprobs()).isEqualTo(expected);
        assertThat(((Output.Text) completion.output()).logprobs()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'choices':[{'delta':{'content':'a'},'logprobs':{'content':[{'token':'a','logprob':-0.5}]}}]}",
                "{'choices':[{'delta':{'content':'a'},'finish_reason':'stop'}]}",
            })
    void shouldRefuseLogprobsWhereTheServerTellsNoTokenIds(String chunk) {
        SamplingParameters three = SamplingParameters.builder().logprobs(3).build();
        assertThatThrownBy(() -> read(three, chunk))
                .isInstanceOfSatisfying(
                        FaultException.class,
                        e -> assertThat(((Fault.Refused) e.fault()).code()).isEqualTo(FailureCode.INVALID_REQUEST))
                .hasMessage("logprobs=3, expected=absent, or a server that tells token ids: vLLM does with extra_body"
                        + " {\"return_tokens_as_token_ids\": true}");
    }

    @ParameterizedTest
    @CsvSource({"content_filter", "tool_calls"})
    void shouldRefuseAnAnswerThatIsNone(String reason) {
        assertThatThrownBy(() ->
                        read(SamplingParameters.DEFAULT, "{'choices':[{'delta':{},'finish_reason':'" + reason + "'}]}"))
                .isInstanceOfSatisfying(
                        FaultException.class, e -> assertThat(e.fault()).isInstanceOf(Fault.Refused.class))
                .hasMessageStartingWith("finish_reason=" + reason);
    }

    @Test
    void shouldTakeAnEmptyAnswerWithoutLogprobs() throws FaultException {
        SamplingParameters three = SamplingParameters.builder().logprobs(3).build();
        Answer answer = read(three, "{'choices':[{'delta':{},'finish_reason':'stop'}]}");
        assertThat(((Output.Text) answer.output()).logprobs()).isEmpty();
    }

    @Test
    void shouldCutAtTheFirstOfSeveralStopStringsWhateverTheirOrder() throws FaultException {
        SamplingParameters stop =
                SamplingParameters.builder().stop(List.of("lo", "END")).build();
        Answer answer = read(stop, "{'choices':[{'text':'Hello END','finish_reason':'stop'}]}");
        assertThat(((Output.Text) answer.output()).text()).isEqualTo("Hel");
    }

    @Test
    void shouldAskForOneLogprobWhereOnlyTheTokensOwnIsWanted() {
        SamplingParameters none = SamplingParameters.builder().logprobs(0).build();
        assertThat(body(Operation.GENERATE, TEXT, none)).endsWith("\"logprobs\":1}");
    }

    @Test
    void shouldTellPromptsOfTokensApartByTheirBeginnings() {
        List<Integer> ids = new ArrayList<>(Collections.nCopies(1000, 1));
        String prefix = prefix(ids);
        ids.set(999, 2);
        assertThat(prefix(ids)).as("far from the beginning").isEqualTo(prefix);
        ids.set(200, 2);
        assertThat(prefix(ids)).isNotEqualTo(prefix);
    }

    private static String prefix(List<Integer> ids) {
        return PROTOCOL.call(request(Operation.GENERATE, new Input.TokenIds(ids), SamplingParameters.DEFAULT))
                .prefix();
    }

    @Test
    void shouldNotBelieveCountsBelowZero() throws FaultException {
        Answer answer = read(
                SamplingParameters.DEFAULT,
                "{'choices':[{'text':'a','finish_reason':'stop'}],'usage':{'prompt_tokens':-1,'completion_tokens':2}}");
        assertThat(answer.tokens().prompt()).isEmpty();
        assertThat(answer.tokens().completion()).hasValue(2);
    }

    @ParameterizedTest
    @CsvSource({"42", "200", "1000", "'bad_thing'"})
    void shouldTakeAnErrorInAStreamWhoseCodeIsNoStatusForTheServers(String code) {
        assertThatThrownBy(() -> read(SamplingParameters.DEFAULT, "{'error':{'message':'died','code':'" + code + "'}}"))
                .isInstanceOfSatisfying(
                        FaultException.class, e -> assertThat(e.fault()).isInstanceOf(Fault.Broken.class))
                .hasMessage("status=500: died");
    }
}
