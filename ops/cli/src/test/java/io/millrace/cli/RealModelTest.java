package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The commands that need no Kafka, on the default model. */
class RealModelTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Test
    void shouldAnswerAllFormsOfPromptsInOrderAndKeepGoingAfterBadLines() throws JsonProcessingException {
        String prompts = """
                {"prompt": "The capital of France is"}
                {"prompt": "x", "max_token": 3}
                {"prompt_token_ids": [504, 3575, 282, 4649, 314], "max_tokens": 3}
                {"messages": [{"role": "user", "content": "Say hello."}]}
                {"prompt": "x", "temperature": 5}
                """;
        Cli cli = Cli.runWith(prompts, "generate", "--raw", "--max-tokens", "4", "--logprobs", "3", "--json", "-");

        assertThat(cli.exitCode()).isEqualTo(4);
        List<JsonNode> answers = json(cli);
        assertThat(answers).hasSize(5);
        JsonNode first = answers.get(0);
        assertThat(first.fieldNames())
                .toIterable()
                .containsExactly(
                        "prompt_token_ids", "token_ids", "text", "finish_reason", "usage", "timings", "logprobs");
        assertThat(first.path("token_ids")).hasSize(4);
        assertThat(first.path("finish_reason").asText()).isEqualTo("length");
        assertThat(first.path("usage").path("completion_tokens").asInt()).isEqualTo(4);
        assertThat(first.path("timings").path("total_ms").asDouble()).isPositive();
        assertThat(first.path("logprobs"))
                .hasSize(4)
                .allSatisfy(top -> assertThat(top).hasSize(3));
        // greedy: the drawn token is the most probable one
        assertThat(first.path("logprobs").path(0).path(0).path(0))
                .isEqualTo(first.path("token_ids").path(0));
        assertThat(first.path("logprobs").path(0).path(0).path(1).asDouble()).isNegative();

        assertThat(answers.get(1).path("line").asInt()).isEqualTo(2);
        assertThat(answers.get(1).path("error").path("code").asText()).isEqualTo("INVALID_REQUEST");
        assertThat(answers.get(2).path("prompt_token_ids").toString()).isEqualTo("[504,3575,282,4649,314]");
        assertThat(answers.get(2).path("token_ids")).hasSize(3);
        assertThat(answers.get(3).path("prompt_token_ids").path(0).asInt()).isEqualTo(1); // <|im_start|>: templated
        assertThat(answers.get(4).path("error").path("message").asText()).isEqualTo("temperature=5.0, expected=0 to 2");
        assertThat(cli.errLines()).hasSize(2).last().isEqualTo("millrace: line 5: temperature=5.0, expected=0 to 2");
    }

    @Test
    void shouldPutAPromptIntoTheTemplateUnlessRaw() throws JsonProcessingException {
        Cli templated = Cli.run("generate", "--prompt", "Hi", "--max-tokens", "1", "--json");
        Cli conversation = Cli.runWith(
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n",
                "generate",
                "--max-tokens",
                "1",
                "--json",
                "-");
        assertThat(templated.exitCode()).isZero();
        assertThat(json(templated).getFirst().path("prompt_token_ids"))
                .isEqualTo(json(conversation).getFirst().path("prompt_token_ids"));
        assertThat(json(templated).getFirst().has("logprobs")).isFalse();

        Cli raw = Cli.run("generate", "--prompt", "<|im_start|>Hi", "--raw", "--max-tokens", "1", "--json");
        Cli ids = Cli.run("tokenize", "--parse-special", "--json", "<|im_start|>Hi");
        assertThat(json(raw).getFirst().path("prompt_token_ids"))
                .isEqualTo(json(ids).getFirst().path("token_ids"));
    }

    @Test
    void shouldPrintOnlyTheTextOfOnePrompt() {
        Cli cli = Cli.run("generate", "--prompt", "The capital of France is", "--raw", "--max-tokens", "3");
        assertThat(cli.exitCode()).isZero();
        assertThat(cli.out()).contains("Paris");
        assertThat(cli.err()).isEmpty();
    }

    @Test
    void shouldTokenizeWithAndWithoutSpecialTokens() throws JsonProcessingException {
        String texts = """
                {"text": "<|im_end|>"}
                {"text": "<|im_end|>", "parse_special": true}
                {"text": "naïve 日本 🙏", "add_special": true}
                {"text": 7}
                """;
        Cli cli = Cli.runWith(texts, "tokenize", "--json", "-");

        assertThat(cli.exitCode()).isEqualTo(4);
        List<JsonNode> answers = json(cli);
        assertThat(answers.get(0).path("token_ids").size()).isGreaterThan(1);
        assertThat(answers.get(1).path("token_ids").toString()).isEqualTo("[2]");
        assertThat(answers.get(0).path("text").asText()).isEqualTo("<|im_end|>");
        assertThat(answers.get(2).path("text").asText()).isEqualTo("naïve 日本 🙏");
        assertThat(answers.get(3).path("error").path("message").asText()).isEqualTo("text=7, expected=a string");
        assertThat(cli.errLines()).containsExactly("millrace: line 4: text=7, expected=a string");

        assertThat(Cli.run("tokenize", "--parse-special", "<|im_end|>").outLines())
                .containsExactly("2");
    }

    @Test
    void shouldRenderConversations() throws JsonProcessingException {
        String conversations = """
                {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]}
                {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": false}
                {"messages": [{"role": "nobody", "content": "Hi"}]}
                """;
        Cli cli = Cli.runWith(conversations, "chat-template", "-");

        assertThat(cli.exitCode()).isEqualTo(4);
        List<JsonNode> answers = json(cli);
        assertThat(answers.get(0).path("text").asText())
                .isEqualTo("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        assertThat(answers.get(1).path("text").asText()).endsWith("<|im_start|>user\nHi<|im_end|>\n");
        assertThat(cli.errLines())
                .containsExactly("millrace: line 3: messages[0].role=nobody, expected=one of system, user, assistant");
    }

    private static List<JsonNode> json(Cli cli) throws JsonProcessingException {
        List<JsonNode> answers = new java.util.ArrayList<>();
        for (String line : cli.outLines()) {
            answers.add(MAPPER.readTree(line));
        }
        return answers;
    }
}
