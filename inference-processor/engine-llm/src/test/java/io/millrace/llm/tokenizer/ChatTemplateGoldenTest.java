package io.millrace.llm.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Input;
import io.millrace.llm.gguf.GgufBuilder;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against renderings by Python's jinja2: ops/golden/template_goldens.py. */
class ChatTemplateGoldenTest {

    @TempDir
    Path dir;

    @Test
    void shouldRenderPopularTemplatesAsJinja2Does() throws IOException {
        JsonNode golden = Golden.json("templates.json");
        Map<String, ChatTemplate> templates = new HashMap<>();
        for (JsonNode row : golden.get("renderings")) {
            String name = row.get("template").textValue();
            if (!templates.containsKey(name)) {
                templates.put(name, template(golden, name));
            }
            List<Input.Message> messages = messages(
                    golden.get("conversations").get(row.get("conversation").intValue()));
            ChatTemplate.GenerationPrompt prompt =
                    row.get("add_generation_prompt").booleanValue()
                            ? ChatTemplate.GenerationPrompt.ADD
                            : ChatTemplate.GenerationPrompt.OMIT;
            ChatTemplate template = templates.get(name);
            if (row.has("text")) {
                assertThat(template.render(messages, prompt))
                        .as("%s of conversation %s", name, row.get("conversation"))
                        .isEqualTo(row.get("text").textValue());
            } else {
                assertThatThrownBy(() -> template.render(messages, prompt))
                        .hasMessage(row.get("raises").textValue());
            }
        }
        assertThat(templates).hasSizeGreaterThan(8);
    }

    @Test
    void shouldRenderTheRealModelsOwnTemplate() throws IOException {
        try (GgufFile file = GgufFile.open(RealModel.smolLm2())) {
            assertThat(file.metadata().string("tokenizer.chat_template"))
                    .isEqualTo(Golden.json("templates.json").get("smollm2").textValue());
            ChatTemplate template = ChatTemplate.of(file.metadata());
            String text = template.render(List.of(new Input.Message("user", "Hi")), ChatTemplate.GenerationPrompt.ADD);
            assertThat(text)
                    .isEqualTo(
                            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
                                    + "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        }
    }

    private ChatTemplate template(JsonNode golden, String name) throws IOException {
        String source = name.equals("smollm2")
                ? golden.get("smollm2").textValue()
                : Files.readString(Golden.path("templates/" + name + ".jinja"));
        LocalDateTime now = LocalDateTime.parse(golden.get("now").textValue());
        GgufBuilder builder = new GgufBuilder()
                .string("tokenizer.chat_template", source)
                .strings(
                        "tokenizer.ggml.tokens",
                        List.of(
                                golden.get("bos_token").textValue(),
                                golden.get("eos_token").textValue()))
                .uint32("tokenizer.ggml.bos_token_id", 0)
                .uint32("tokenizer.ggml.eos_token_id", 1);
        try (GgufFile file = GgufFile.open(builder.write(dir.resolve(name)))) {
            return ChatTemplate.of(file.metadata(), Clock.fixed(now.toInstant(ZoneOffset.UTC), ZoneOffset.UTC));
        }
    }

    private static List<Input.Message> messages(JsonNode conversation) {
        List<Input.Message> messages = new ArrayList<>();
        for (JsonNode message : conversation) {
            messages.add(new Input.Message(
                    message.get("role").textValue(), message.get("content").textValue()));
        }
        return messages;
    }
}
