package io.millrace.llm.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GgufPromptCodecTest {

    @Test
    void shouldPutATextIntoTheChatTemplateAsOneUserMessage() throws IOException {
        Model model = new Model(RealModel.smolLm2());
        int[] ofText = model.codec.encode(Operation.CHAT, new Input.Text("Hello"));
        int[] ofMessage =
                model.codec.encode(Operation.CHAT, new Input.Conversation(List.of(new Input.Message("user", "Hello"))));
        assertThat(ofText).isEqualTo(ofMessage);
        assertThat(model.tokenizer.decode(ofText))
                .endsWith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void shouldContinueATextAsItIsWithItsSpecialTokens() throws IOException {
        Model model = new Model(RealModel.smolLm2());
        int[] tokens = model.codec.encode(Operation.GENERATE, new Input.Text("<|im_start|>user\n"));
        assertThat(tokens).isEqualTo(model.tokenizer.encode("<|im_start|>user\n", ParseSpecial.PARSE));
        assertThat(model.tokenizer.isControl(tokens[0])).isTrue();
    }

    @Test
    void shouldBeginATextWithBosWhereTheFileSaysSoButNotTokenIds() throws IOException {
        Model model = new Model(Golden.path("tiny-a.gguf"));
        int bos = model.tokenizer.bosToken().orElseThrow();
        assertThat(model.codec.encode(Operation.GENERATE, new Input.Text("the")))
                .startsWith(bos);
        assertThat(model.codec.encode(Operation.GENERATE, new Input.Text(""))).isEmpty();
        assertThat(model.codec.encode(Operation.GENERATE, new Input.TokenIds(List.of(5, 6))))
                .containsExactly(5, 6);
    }

    @Test
    void shouldRefuseAChatWhereTheModelHasNoTemplate() throws IOException {
        Model model = new Model(Golden.path("tiny-a.gguf"));
        assertThatThrownBy(() -> model.codec.encode(Operation.CHAT, new Input.Text("the")))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("operation=chat, expected=generate: the model has no chat template");
    }

    @Test
    void shouldRefuseAConversationWithoutMessagesOrWithoutChat() throws IOException {
        Model model = new Model(RealModel.smolLm2());
        assertThatThrownBy(() -> model.codec.encode(Operation.CHAT, new Input.Conversation(List.of())))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("messages=[], expected=at least one");
        Input conversation = new Input.Conversation(List.of(new Input.Message("user", "Hello")));
        assertThatThrownBy(() -> model.codec.encode(Operation.GENERATE, conversation))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("operation=generate, expected=chat, for messages");
    }

    @Test
    void shouldShowNoControlTokensAndKnowThoseThatEndAnAnswer() throws IOException {
        Model model = new Model(RealModel.smolLm2());
        int end = model.tokenizer.findToken("<|im_end|>").orElseThrow();
        assertThat(model.codec.endsAnswer(end)).isTrue();
        assertThat(model.codec.textBytes(end)).isEmpty();
        int hello = model.tokenizer.encode("Hello", ParseSpecial.AS_TEXT)[0];
        assertThat(model.codec.endsAnswer(hello)).isFalse();
        assertThat(model.codec.textBytes(hello)).isEqualTo(model.tokenizer.tokenBytes(hello));
    }

    private static final class Model {
        private final Tokenizer tokenizer;
        private final GgufPromptCodec codec;

        Model(Path path) throws IOException {
            try (GgufFile file = GgufFile.open(path)) {
                tokenizer = Tokenizer.of(file.metadata());
                codec = new GgufPromptCodec(tokenizer, ChatTemplate.find(file.metadata()));
            }
        }
    }
}
