package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.PromptRequest;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSerdeTest {

    private static final String TOPIC = "any";

    @ParameterizedTest
    @MethodSource("io.millrace.schemas.serde.Samples#everyKind")
    void shouldReadWhatItWrote(SpecificRecord record) {
        assertThat(read(record.getClass(), write(record))).isEqualTo(record);
    }

    @Test
    void shouldWriteOneLineWithSchemaNamesAndWithoutAbsentFields() {
        assertThat(write(Samples.result())).isEqualTo("""
                        {"request_id":"r-1","model":"smollm2-135m-instruct","model_version":"1",\
                        "model_digest":"sha256:b179c952","endpoint":"a","operation":"chat","text":"Hello.","embedding":[0.1,-1.5,1.4E-45],\
                        "scores":[{"index":1,"label":"billing","score":0.75}],\
                        "logprobs":[{"token_id":7,"logprob":-0.25,"top":[{"token_id":7,"logprob":-0.25},\
                        {"token_id":9,"logprob":"-Infinity"}]}],"finish_reason":"stop",\
                        "usage":{"prompt_tokens":31,"cached_prompt_tokens":16,"completion_tokens":2},\
                        "timings":{"queue_ms":1.5,"prefill_ms":20.25,"decode_ms":30.0,"time_to_first_token_ms":21.75,"total_ms":51.75},\
                        "source":{"topic":"millrace.prompts","partition":3,"offset":9223372036854775807,"timestamp":1764000000123},\
                        "tenant":"acme","job_id":"job-7","metadata":{"ticket":"T-1"}}""");
        assertThat(write(Samples.smallPrompt()))
                .isEqualTo("{\"operation\":\"chat\",\"prompt\":\"Say hello.\",\"priority\":0,\"metadata\":{}}");
    }

    @Test
    void shouldTakeDefaultsForAbsentFieldsAndForNullsThatTheSchemaDoesNotHave() {
        assertThat(read(PromptRequest.class, "{\"prompt\": \"Say hello.\"}")).isEqualTo(Samples.smallPrompt());
        assertThat(read(PromptRequest.class, """
                                {"prompt":"Say hello.","model":null,"operation":null,"priority":null,"metadata":null}""")).isEqualTo(Samples.smallPrompt());
    }

    @Test
    void shouldNotShareDefaultsBetweenRecords() {
        PromptRequest first = read(PromptRequest.class, "{}");
        first.getMetadata().put("a", "b");
        assertThat(read(PromptRequest.class, "{}").getMetadata()).isEmpty();
    }

    @Test
    void shouldTakeIntegersWrittenAsDecimals() {
        PromptRequest read = read(PromptRequest.class, "{\"max_tokens\": 16.0, \"seed\": 1e3, \"temperature\": 1}");
        assertThat(read.getMaxTokens()).isEqualTo(16);
        assertThat(read.getSeed()).isEqualTo(1000L);
        assertThat(read.getTemperature()).isEqualTo(1.0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'max_tokens':'many'} | max_tokens='many', expected=an integer",
                "{'max_tokens':1.5} | max_tokens=1.5, expected=an integer",
                "{'max_tokens':true} | max_tokens=true, expected=an integer",
                "{'max_tokens':2147483648} | max_tokens=2147483648, expected=an integer from -2147483648 to 2147483647",
                "{'seed':9223372036854775808} | seed=9223372036854775808, expected=an integer from -9223372036854775808 to 9223372036854775807",
                "{'temperature':'hot'} | temperature='hot', expected=a number",
                "{'temperature':1e999} | temperature=Infinity, expected=a 64-bit number",
                "{'ignore_eos':1} | ignore_eos=1, expected=true or false",
                "{'prompt':5} | prompt=5, expected=a string",
                "{'prompt':['a']} | prompt=['a'], expected=a string",
                "{'stop':'x'} | stop='x', expected=an array of strings",
                "{'stop':['a',null]} | stop[1]=null, expected=a string",
                "{'prompt_token_ids':[1,'2']} | prompt_token_ids[1]='2', expected=an integer",
                "{'messages':{}} | messages={}, expected=an array of objects",
                "{'messages':['hi']} | messages[0]='hi', expected=an object",
                "{'messages':[{'role':'user','content':'a'},{'content':'b'}]} | messages[1].role=absent, expected=a string",
                "{'messages':[{'role':null}]} | messages[0].role=null, expected=a string",
                "{'messages':[{'role':'user','parts':[{'data':'%%'}]}]} | messages[0].parts[0].data='%%', expected=bytes as base64",
                "{'messages':[{'role':'user','parts':[{'data':7}]}]} | messages[0].parts[0].data=7, expected=bytes as base64",
                "{'metadata':{'a':1}} | metadata.a=1, expected=a string",
                "{'metadata':[]} | metadata=[], expected=an object of strings",
                "{'deadline':'2026-11-24'} | deadline='2026-11-24', expected=an integer (milliseconds since 1970-01-01 UTC)",
                "{'response_format':'text'} | response_format='text', expected=an object",
                "{'response_format':{}} | response_format.type=absent, expected=a string",
                "{'max_token':5} | max_token=5, expected=a field of PromptRequest; did you mean max_tokens?",
                "{'maxTokens':5} | maxTokens=5, expected=a field of PromptRequest; did you mean max_tokens?",
                "{'temprature':5} | temprature=5, expected=a field of PromptRequest; did you mean temperature?",
                "{'messages':[{'role':'user','text':'a'}]} | messages[0].text='a', expected=a field of Message: role, content, parts",
                "{'prompt':'\\ud800'} | prompt='\ufffd', expected=text without lone surrogates",
            })
    void shouldNameTheFieldItsValueAndWhatWasExpected(String json, String message) {
        assertThatThrownBy(() -> read(PromptRequest.class, json.replace('\'', '"')))
                .isInstanceOf(InvalidFieldException.class)
                .hasMessage(message.replace('\'', '"'));
    }

    @Test
    void shouldListTheFieldsWhereNoneIsNear() {
        assertThatThrownBy(() -> read(PromptRequest.class, "{\"stream\":false}"))
                .isInstanceOf(InvalidFieldException.class)
                .hasMessageStartingWith(
                        "stream=false, expected=a field of PromptRequest: request_id, model, operation, ")
                .hasMessageEndingWith(", tenant, job_id, metadata");
    }

    @Test
    void shouldShortenLongValues() {
        String longText = "x".repeat(1000);
        assertThatThrownBy(() -> read(PromptRequest.class, "{\"max_tokens\":\"" + longText + "\"}"))
                .hasMessage("max_tokens=\"" + "x".repeat(199) + "…, expected=an integer");
    }

    @Test
    void shouldCarryWhatElseWasReadable() {
        String json = """
                {"max_tokens":"many","request_id":"r-1","model":"m","tenant":"acme","job_id":"job-7",
                 "metadata":{"ticket":"T-1","bad":1,"half":"\\ud800"}}""";
        InvalidFieldException e =
                catchThrowableOfType(InvalidFieldException.class, () -> read(PromptRequest.class, json));
        assertThat(e.field()).isEqualTo("max_tokens");
        assertThat(e.value()).isEqualTo("\"many\"");
        assertThat(e.expected()).isEqualTo("an integer");
        assertThat(e.requestId()).contains("r-1");
        assertThat(e.model()).contains("m");
        assertThat(e.tenant()).contains("acme");
        assertThat(e.jobId()).contains("job-7");
        assertThat(e.metadata()).isEqualTo(Map.of("ticket", "T-1", "half", "\ufffd"));
    }

    @Test
    void shouldCarryNothingThatIsUnreadable() {
        InvalidFieldException e = catchThrowableOfType(
                InvalidFieldException.class, () -> read(PromptRequest.class, "{\"request_id\":7,\"metadata\":\"x\"}"));
        assertThat(e).hasMessage("request_id=7, expected=a string");
        assertThat(e.requestId()).isEmpty();
        assertThat(e.metadata()).isEmpty();
    }

    @Test
    void shouldRefuseACommandThatIsMisspelt() {
        String json = """
                {"command_id":"c","action":"CANCLE","scope":"JOB","target":"j","issued_at":0}""";
        assertThatThrownBy(() -> read(ControlCommand.class, json))
                .isInstanceOf(InvalidFieldException.class)
                .hasMessage("action=\"CANCLE\", expected=one of CANCEL, PAUSE, RESUME, UNKNOWN; did you mean CANCEL?");
    }

    @Test
    void shouldReadWhatANewerMillraceWrites() {
        String json = write(Samples.failure())
                .replace("MODEL_NOT_FOUND", "QUOTA_EXCEEDED")
                .replace("\"retriable\"", "\"retry_after_ms\":5,\"retriable\"");
        assertThat(read(InferenceFailure.class, json).getCode()).isEqualTo(FailureCode.UNKNOWN);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[1] | value=array, expected=a JSON object",
                "'hello' | value=string, expected=a JSON object",
                "null | value=null, expected=a JSON object",
                "`` | value=nothing, expected=a JSON object",
                "`  ` | value=nothing, expected=a JSON object",
            })
    void shouldSayWhatIsThereInsteadOfAnObject(String text, String message) {
        assertThatThrownBy(() -> read(PromptRequest.class, text.replace('\'', '"')))
                .isInstanceOf(SerializationException.class)
                .hasMessage(message);
    }

    @Test
    void shouldRecognizeAvro() {
        assertThatThrownBy(() -> read(PromptRequest.class, "\u0000\u0000\u0000\u0000\u0001x"))
                .isInstanceOf(SerializationException.class)
                .hasMessage("first byte=0x00, expected=a JSON object; this looks like Avro: set schema.registry.url or"
                        + " value.format=avro");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{\"prompt\":",
                "{\"prompt\":\"a\"",
                "{} {}",
                "{}x",
                "hello",
                "{'prompt':'a'}",
                "{\"a\":1,\"a\":2}",
                "{\"temperature\":NaN}",
                "{\"\\udc00\":1}",
                "{\"prompt\":\"a\nb\"}",
                "{\"max_tokens\":01}",
                "{,}"
            })
    void shouldRefuseWhatIsNotJson(String text) {
        assertThatThrownBy(() -> read(PromptRequest.class, text))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("not JSON: ");
    }

    @Test
    void shouldRefuseInvalidUtf8() {
        byte[] bytes = "{\"prompt\":\"aXb\"}".getBytes(UTF_8);
        bytes[12] = (byte) 0xff;
        assertThatThrownBy(() -> new JsonRecordDeserializer<>(PromptRequest.class).deserialize(TOPIC, bytes))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("not JSON: Invalid UTF-8");
    }

    @Test
    void shouldRefuseDeepNestingAndLongNumbersWithoutReadingThemOut() {
        assertThatThrownBy(() -> read(PromptRequest.class, "{\"metadata\":" + "[".repeat(1_000_000)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("nesting depth (33) exceeds the maximum allowed (32");
        assertThatThrownBy(() -> read(PromptRequest.class, "{\"seed\":" + "9".repeat(2000) + "}"))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("Number value length (2000) exceeds the maximum allowed (1000");
    }

    @Test
    void shouldRefuseAHugeExponentQuickly() {
        assertThatThrownBy(() -> read(PromptRequest.class, "{\"seed\":1e999999999}"))
                .isInstanceOf(InvalidFieldException.class);
    }

    @Test
    void shouldRefuseMoreBytesThanItLooksAt() {
        byte[] bytes = new byte[JsonRecordDeserializer.MAX_BYTES + 1];
        assertThatThrownBy(() -> new JsonRecordDeserializer<>(PromptRequest.class).deserialize(TOPIC, bytes))
                .isInstanceOf(SerializationException.class)
                .hasMessage("size=67108865 bytes, expected=at most 67108864");
    }

    @Test
    void shouldPassNullThrough() {
        assertThat(new JsonRecordDeserializer<>(PromptRequest.class).deserialize(TOPIC, null))
                .isNull();
        assertThat(new JsonRecordSerializer<PromptRequest>().serialize(TOPIC, null))
                .isNull();
    }

    @Test
    void shouldReplaceLoneSurrogatesOnWrite() {
        PromptRequest record = PromptRequest.newBuilder(Samples.smallPrompt())
                .setPrompt("a\ud800b👋\udc00")
                .setMetadata(Map.of("\ud800k", "v"))
                .build();
        PromptRequest read = read(PromptRequest.class, write(record));
        assertThat(read.getPrompt()).isEqualTo("a\ufffdb👋\ufffd");
        assertThat(read.getMetadata()).isEqualTo(Map.of("\ufffdk", "v"));
    }

    @Test
    void shouldNotMoveTheBytesOfARecordThatItWrites() {
        PromptRequest record = Samples.fullPrompt();
        assertThat(write(record)).isEqualTo(write(record));
    }

    private static <T extends SpecificRecord> T read(Class<T> type, String json) {
        return requireNonNull(new JsonRecordDeserializer<>(type).deserialize(TOPIC, json.getBytes(UTF_8)));
    }

    private static String write(SpecificRecord record) {
        return new String(requireNonNull(new JsonRecordSerializer<>().serialize(TOPIC, record)), UTF_8);
    }
}
