package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PromptTest {

    @Test
    void shouldSetEveryFieldByItsName() {
        Prompt prompt = Prompt.generate("Once")
                .requestId("r-1")
                .model("m")
                .documents(List.of("d"))
                .maxTokens(16)
                .minTokens(1)
                .ignoreEos()
                .temperature(0.5)
                .topP(0.9)
                .topK(40)
                .minP(0.1)
                .repetitionPenalty(1.1)
                .stop("END", "\n")
                .seed(7)
                .logprobs(2)
                .jsonSchema("{}")
                .priority(-1)
                .deadline(Instant.ofEpochMilli(5))
                .tenant("acme")
                .jobId("job-1")
                .extraBody("{}")
                .metadata("a", "1")
                .metadata("b", "2")
                .build();
        assertThat(json(prompt))
                .isEqualTo("{\"request_id\":\"r-1\",\"model\":\"m\",\"operation\":\"generate\",\"prompt\":\"Once\","
                        + "\"documents\":[\"d\"],\"max_tokens\":16,\"min_tokens\":1,\"ignore_eos\":true,"
                        + "\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,\"min_p\":0.1,\"repetition_penalty\":1.1,"
                        + "\"stop\":[\"END\",\"\\n\"],\"seed\":7,\"logprobs\":2,"
                        + "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":\"{}\"},\"extra_body\":\"{}\","
                        + "\"priority\":-1,"
                        + "\"deadline\":5,\"tenant\":\"acme\",\"job_id\":\"job-1\","
                        + "\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}");
    }

    @Test
    void shouldBuildAConversationTurnByTurn() {
        Prompt prompt = Prompt.conversation()
                .system("Be brief.")
                .user("Hi")
                .assistant("Hello.")
                .user("Bye")
                .jsonObject()
                .build();
        assertThat(json(prompt))
                .contains("\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                        + "{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Hello.\"},"
                        + "{\"role\":\"user\",\"content\":\"Bye\"}]")
                .contains("\"response_format\":{\"type\":\"json_object\"}");
    }

    @Test
    void shouldNotChangeTheRecordItGoesOnFrom() {
        PromptRequest from =
                PromptRequest.newBuilder().setPrompt("a").setTenant("t").build();
        Prompt prompt = Prompt.of(from)
                .operation("embed")
                .tenant("u")
                .metadata("k", "v")
                .build();
        assertThat(from.getTenant()).isEqualTo("t");
        assertThat(from.getMetadata()).isEmpty();
        assertThat(prompt.request().getTenant()).isEqualTo("u");
        assertThat(Prompt.embed("x").build().request().getOperation()).isEqualTo("embed");
    }

    @Test
    void shouldSayWhatIsWrong() {
        assertInvalid(
                Prompt.of(PromptRequest.newBuilder().build()),
                "inputs=0, expected=exactly one of prompt, messages and prompt_token_ids");
        assertInvalid(
                Prompt.chat("x").user("y"), "inputs=2, expected=exactly one of prompt, messages and prompt_token_ids");
        assertInvalid(Prompt.chat("x").timeout(Duration.ZERO), "timeout=PT0S, expected=above zero, to 365 days");
        assertInvalid(
                Prompt.chat("x").timeout(Duration.ofDays(366)), "timeout=PT8784H, expected=above zero, to 365 days");
        assertInvalid(
                Prompt.chat("x").header("millrace.correlation_id", "mine"),
                "header=millrace.correlation_id, expected=another name: the client tells its own answers by this one");
    }

    private static void assertInvalid(Prompt.Builder prompt, String message) {
        assertThatThrownBy(prompt::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void shouldTakeTheStandardsTracesOnly() {
        String zeros = "0".repeat(32);
        for (String wrong : List.of(
                "",
                "00-" + zeros + "-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")) {
            assertInvalid(
                    Prompt.chat("x").traceparent(wrong),
                    "traceparent=" + wrong + ", expected=00-<32 hex digits>-<16 hex digits>-<2 hex digits>, lower case,"
                            + " ids not all zeros");
        }
        for (int i = 0; i < 1_000; i++) {
            assertThatCode(() -> Traceparent.require(Traceparent.begin())).doesNotThrowAnyException();
        }
    }

    @Test
    void shouldMakeIdsThatSortByTime() {
        UUID early = UuidV7.at(1_764_000_000_123L);
        UUID late = UuidV7.at(1_764_000_000_124L);
        assertThat(early.version()).isEqualTo(7);
        assertThat(early.variant()).isEqualTo(2);
        assertThat(early.getMostSignificantBits() >>> 16).isEqualTo(1_764_000_000_123L);
        assertThat(early.toString()).isLessThan(late.toString());
        assertThat(UuidV7.at(1)).isNotEqualTo(UuidV7.at(1));
    }

    @Test
    void shouldCheckTheClientsOptions() {
        PromptClientOptions options = PromptClientOptions.of(Map.of("bootstrap.servers", "localhost:9092"));
        assertThat(options.topics().deadLetters()).isEqualTo("millrace.dead-letters");
        assertThatThrownBy(() -> options.withMaxOutstanding(0)).hasMessage("maxOutstanding=0, expected=1 or more");
        assertThatThrownBy(() -> options.withTimeout(Duration.ofSeconds(-1)))
                .hasMessage("timeout=PT-1S, expected=above zero, to 365 days");
    }

    private static String json(Prompt prompt) {
        byte[] bytes = RecordSerdes.serializer(PromptRequest.class, Map.of("value.format", "json"))
                .serialize("t", prompt.request());
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
