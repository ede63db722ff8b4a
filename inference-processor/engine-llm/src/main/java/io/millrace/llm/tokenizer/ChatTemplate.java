package io.millrace.llm.tokenizer;

import io.millrace.engine.Input;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import io.millrace.llm.tokenizer.jinja.Template;
import io.millrace.llm.tokenizer.jinja.TemplateException;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** How a model wants conversations written: the template in its file. Immutable; shared by all threads. */
public final class ChatTemplate {

    private static final String KEY = "tokenizer.chat_template";

    /** Whether the text ends with the start of the assistant's next turn, so that the model goes on with its answer. */
    public enum GenerationPrompt {
        ADD,
        OMIT
    }

    private final Template template;
    private final String bos;
    private final String eos;
    private final Clock clock;

    private ChatTemplate(Template template, String bos, String eos, Clock clock) {
        this.template = template;
        this.bos = bos;
        this.eos = eos;
        this.clock = clock;
    }

    /**
     * The template of a model.
     *
     * @throws GgufException where the file has none (a base model), or one that this program can't render, saying what and where
     */
    public static ChatTemplate of(GgufMetadata metadata) throws GgufException {
        return of(metadata, Clock.system(ZoneId.systemDefault()));
    }

    /** The template of a model, or empty where the file has none: a base model. */
    public static Optional<ChatTemplate> find(GgufMetadata metadata) throws GgufException {
        return metadata.contains(KEY) ? Optional.of(of(metadata)) : Optional.empty();
    }

    static ChatTemplate of(GgufMetadata metadata, Clock clock) throws GgufException {
        try {
            Template template = Template.parse(metadata.string(KEY));
            return new ChatTemplate(template, specialText(metadata, "bos"), specialText(metadata, "eos"), clock);
        } catch (TemplateException e) {
            GgufException failure = metadata.failure(KEY, "a chat template of supported constructs", e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    private static String specialText(GgufMetadata metadata, String name) throws GgufException {
        OptionalInt id = metadata.findInt("tokenizer.ggml." + name + "_token_id");
        List<String> tokens = metadata.findStrings("tokenizer.ggml.tokens").orElse(List.of());
        return id.isPresent() && id.getAsInt() >= 0 && id.getAsInt() < tokens.size() ? tokens.get(id.getAsInt()) : "";
    }

    /**
     * Writes a conversation as the model's prompt. Its special tokens are text: encode with {@link ParseSpecial#PARSE}.
     *
     * @throws TemplateException where the template refuses the conversation ({@link TemplateException.Cause#RAISED}), fails, or takes too much
     */
    public String render(List<Input.Message> messages, GenerationPrompt generationPrompt) {
        List<Map<String, String>> turns = new ArrayList<>(messages.size());
        for (Input.Message message : messages) {
            Map<String, String> turn = new LinkedHashMap<>();
            turn.put("role", message.role());
            turn.put("content", message.content());
            turns.add(turn);
        }
        Map<String, @Nullable Object> variables = new HashMap<>();
        variables.put("messages", turns);
        variables.put("add_generation_prompt", generationPrompt == GenerationPrompt.ADD);
        variables.put("bos_token", bos);
        variables.put("eos_token", eos);
        variables.put("tools", null); // None rather than undefined, as transformers has it
        variables.put("documents", null);
        return template.render(variables, clock);
    }
}
