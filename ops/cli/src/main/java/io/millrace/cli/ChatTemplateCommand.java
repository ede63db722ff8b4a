package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.Input;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.ChatTemplate.GenerationPrompt;
import io.millrace.llm.tokenizer.jinja.TemplateException;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.intake.RequestFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace chat-template}: conversations as the model reads them. */
@Command(
        name = "chat-template",
        description = {
            "Puts conversations into the model's chat template.",
            "",
            "A line is a JSON object with messages (role and content of each) and, if wanted, add_generation_prompt (default"
                    + " true: the answer's beginning is put last). The answer is always a line of JSON with text. A line that"
                    + " cannot be answered gets {\"line\": N, \"error\": {…}} in its place, is named on stderr, and makes the"
                    + " exit code 4."
        },
        footer = {
            "",
            "Examples:",
            "  millrace chat-template --file conversations.jsonl",
            "  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}' | millrace chat-template -"
        })
final class ChatTemplateCommand implements Callable<Integer> {

    private static final Set<String> FIELDS = Set.of("messages", "add_generation_prompt");

    private final Session session;
    private final Deserializer<PromptRequest> reader =
            RecordSerdes.deserializer(PromptRequest.class, Map.of("value.format", "json"));

    @Mixin
    ModelOption model = new ModelOption();

    @ArgGroup(multiplicity = "1")
    Source source = new Source();

    /** Exactly one of these. */
    static final class Source {

        @Option(
                names = "--file",
                paramLabel = "JSONL",
                description = "Conversations, a JSON object a line.",
                required = true)
        @Nullable
        String file;

        @Parameters(paramLabel = "-", description = "The same from standard input.")
        @Nullable
        String stdin;
    }

    @Option(names = "--json", hidden = true, description = "Always so; taken for symmetry.")
    boolean json;

    ChatTemplateCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException {
        Terminal terminal = session.terminal();
        if (source.stdin != null && !source.stdin.equals(JsonLines.STDIN)) {
            throw new CliException(
                    ExitCode.USAGE, "argument=" + source.stdin + ", expected=- (standard input) or --file JSONL");
        }
        String file = source.file == null ? JsonLines.STDIN : source.file;
        try (GgufFile gguf = session.openGguf(session.model(model.model))) {
            ChatTemplate template = ChatTemplate.of(gguf.metadata());
            return JsonLines.run(
                            JsonLines.open(file, terminal),
                            terminal,
                            line -> render(template, line),
                            answer -> Json.print(terminal.out(), answer))
                    .value;
        }
    }

    private ObjectNode render(ChatTemplate template, ObjectNode line) {
        Json.requireKnownFields(line, FIELDS);
        boolean add = Json.optionalBoolean(line, "add_generation_prompt").orElse(true);
        line.remove("add_generation_prompt");
        byte[] bytes = line.toString().getBytes(StandardCharsets.UTF_8);
        PromptRequest request = reader.deserialize("", bytes);
        if (RequestFactory.input(request) instanceof Input.Conversation conversation) {
            GenerationPrompt prompt = add ? GenerationPrompt.ADD : GenerationPrompt.OMIT;
            return Json.object().put("text", render(template, conversation, prompt));
        }
        throw new BadLineException("messages=absent, expected=a list of messages");
    }

    private static String render(ChatTemplate template, Input.Conversation conversation, GenerationPrompt prompt) {
        try {
            return template.render(conversation.messages(), prompt);
        } catch (TemplateException e) {
            throw new BadLineException(String.valueOf(e.getMessage()));
        }
    }
}
