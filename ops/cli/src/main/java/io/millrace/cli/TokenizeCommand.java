package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace tokenize}: text to token ids and back. */
@Command(
        name = "tokenize",
        description = {
            "Shows the token ids of texts, and what the ids read back as.",
            "",
            "A line is a JSON object with text and, if wanted, parse_special (default false: special tokens in the text are text) and"
                    + " add_special (default false: no BOS token). With --json the answer has token_ids and text, else it is"
                    + " the ids. A line that cannot be answered gets {\"line\": N, \"error\": {…}} in its place with --json, is"
                    + " named on stderr, and makes the exit code 4."
        },
        footer = {
            "",
            "Examples:",
            "  millrace tokenize 'Hello, world'",
            "  millrace tokenize --parse-special --json '<|im_start|>user'",
            "  millrace tokenize --model ./some.gguf --json --file texts.jsonl",
            "  echo '{\"text\": \"Hi\", \"add_special\": true}' | millrace tokenize --json -"
        })
final class TokenizeCommand implements Callable<Integer> {

    private static final Set<String> FIELDS = Set.of("text", "parse_special", "add_special");

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @ArgGroup(multiplicity = "1")
    Source source = new Source();

    @Option(
            names = "--parse-special",
            description = "Special tokens in texts count as such, unless a line says otherwise.")
    boolean parseSpecial;

    @Option(
            names = "--add-special",
            description = "Put a BOS token first where the model's metadata says so, unless a line says otherwise.")
    boolean addSpecial;

    @Option(names = "--json", description = "Print a line of JSON for each text.")
    boolean json;

    /** Exactly one of these. */
    static final class Source {

        @Parameters(
                paramLabel = "TEXT|-",
                description =
                        "One text, or - for JSON lines from standard input; put -- before a text that begins with a dash.")
        @Nullable
        String text;

        @Option(names = "--file", paramLabel = "JSONL", description = "Texts, a JSON object a line.", required = true)
        @Nullable
        String file;
    }

    TokenizeCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException {
        Terminal terminal = session.terminal();
        try (GgufFile gguf = session.openGguf(session.model(model.model))) {
            Tokenizer tokenizer = Tokenizer.of(gguf.metadata());
            if (source.text != null && !source.text.equals(JsonLines.STDIN)) {
                print(tokenize(tokenizer, Json.object().put("text", source.text)));
                return ExitCode.OK.value;
            }
            String file = source.file == null ? JsonLines.STDIN : source.file;
            return JsonLines.run(
                            JsonLines.open(file, terminal), terminal, line -> tokenize(tokenizer, line), this::print)
                    .value;
        }
    }

    private ObjectNode tokenize(Tokenizer tokenizer, ObjectNode line) {
        Json.requireKnownFields(line, FIELDS);
        String text = Json.requireText(line, "text");
        boolean parse = Json.optionalBoolean(line, "parse_special").orElse(parseSpecial);
        boolean add = Json.optionalBoolean(line, "add_special").orElse(addSpecial);
        int[] ids = tokenizer.encode(text, parse ? ParseSpecial.PARSE : ParseSpecial.AS_TEXT);
        String roundTrip = tokenizer.decode(ids);
        int[] answer = add && tokenizer.addBos()
                ? IntStream.concat(IntStream.of(tokenizer.bosToken().orElseThrow()), Arrays.stream(ids))
                        .toArray()
                : ids;
        ObjectNode json = Json.object();
        json.set("token_ids", Json.tree(answer));
        return json.put("text", roundTrip);
    }

    private void print(ObjectNode answer) {
        var out = session.terminal().out();
        if (json) {
            Json.print(out, answer);
        } else if (answer.has("token_ids")) {
            out.println(IntStream.range(0, answer.get("token_ids").size())
                    .mapToObj(
                            i -> Objects.requireNonNull(answer.get("token_ids").get(i))
                                    .asText())
                    .collect(Collectors.joining(" ")));
        }
    }
}
