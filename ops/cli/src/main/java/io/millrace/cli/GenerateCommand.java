package io.millrace.cli;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.ingest.LineReader;
import io.millrace.ingest.PromptReader;
import io.millrace.ingest.PromptReader.Entry;
import io.millrace.schemas.PromptRequest;
import io.millrace.streams.intake.RequestFactory;
import java.io.IOException;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace generate}: prompts through one engine, without Kafka. */
@Command(
        name = "generate",
        description = {
            "Answers prompts with one engine, without Kafka.",
            "",
            "All prompts of a file go through the engine together and are answered in the file's order. A line is a JSON object"
                    + " with one of prompt, messages or prompt_token_ids; it may also have a prompt record's other fields"
                    + " (max_tokens, temperature, top_p, top_k, min_p, repetition_penalty, stop, seed, …), which then count"
                    + " instead of the options here.",
            "",
            "With --json a line per prompt: prompt_token_ids, token_ids (the end-of-sequence token included), text,"
                    + " finish_reason, usage, timings and, when asked for, logprobs: for each token the K most probable as"
                    + " [id, logprob], of the unmodified logits. A line that cannot be answered gets"
                    + " {\"line\": N, \"error\": {\"code\": …, \"message\": …}} in its place, is named on stderr too, and makes the"
                    + " exit code 4; the others are answered."
        },
        footer = {
            "",
            "Examples:",
            "  millrace generate --prompt 'Name three rivers.'",
            "  millrace generate --model ./some.gguf --prompt 'Once upon a time' --raw --max-tokens 40 --temperature 0.8 --seed 7",
            "  millrace generate --prompt-file prompts.jsonl --logprobs 5 --json > answers.jsonl",
            "  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}' | millrace generate --json -"
        })
final class GenerateCommand implements Callable<Integer> {

    static final int DEFAULT_MAX_TOKENS = 128;

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @ArgGroup(multiplicity = "1")
    Source source = new Source();

    @Option(
            names = "--raw",
            description =
                    "Continue a prompt as it is: its special tokens count as such, and a BOS token is put first where the model's"
                            + " metadata says so. Without it a prompt is one user message in the model's chat template.")
    boolean raw;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "" + DEFAULT_MAX_TOKENS,
            description = "Most tokens of an answer (default: ${DEFAULT-VALUE}).")
    int maxTokens = DEFAULT_MAX_TOKENS;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 (greedy) to 2 (default: ${DEFAULT-VALUE}).")
    double temperature;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Seed of each prompt's draws (default: the prompt's line number).")
    @Nullable
    Long seed;

    @Option(
            names = "--logprobs",
            paramLabel = "K",
            description = "Report the K most probable tokens of each position, 0 to 20; implies --json.")
    @Nullable
    Integer logprobs;

    @Option(names = "--json", description = "Print a line of JSON for each prompt.")
    boolean json;

    @Spec
    @Nullable
    CommandSpec spec;

    /** Exactly one of these. */
    static final class Source {

        @Option(names = "--prompt", paramLabel = "TEXT", description = "One prompt.", required = true)
        @Nullable
        String prompt;

        @Option(
                names = "--prompt-file",
                paramLabel = "JSONL",
                description = "Prompts, a JSON object a line.",
                required = true)
        @Nullable
        String promptFile;

        @Parameters(paramLabel = "-", description = "The same from standard input.")
        @Nullable
        String stdin;
    }

    private boolean anyFailed;
    private long answers;

    GenerateCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        json |= logprobs != null;
        SamplingParameters defaults = defaults();
        if (source.stdin != null && !source.stdin.equals(JsonLines.STDIN)) {
            throw usage(
                    "argument=" + source.stdin + ", expected=- (standard input), --prompt TEXT or --prompt-file JSONL");
        }
        String file = source.stdin != null ? source.stdin : source.promptFile;
        try (PromptReader prompts = file == null ? null : open(file);
                InferenceEngine engine = session.openEngine(session.ready(model.model))) {
            var generation = new Generation(engine, this::print, this::note);
            if (prompts == null) {
                PromptRequest request =
                        PromptRequest.newBuilder().setPrompt(source.prompt).build();
                ask(generation, new Entry.Prompt(1, request), defaults);
            } else {
                for (Optional<Entry> entry = prompts.next(); entry.isPresent(); entry = prompts.next()) {
                    ask(generation, entry.get(), defaults);
                }
            }
            generation.finish();
        }
        return (anyFailed ? ExitCode.INPUT : ExitCode.OK).value;
    }

    private PromptReader open(String file) throws IOException {
        var lines = new LineReader(JsonLines.open(file, session.terminal()));
        return new PromptReader(lines, PromptReader.Format.JSON, PromptReader.Defaults.NONE);
    }

    /** The options as parameters; what is out of range is a wrong command line. */
    private SamplingParameters defaults() {
        try {
            SamplingParameters.Builder sampling =
                    SamplingParameters.builder().maxTokens(maxTokens).temperature(temperature);
            if (seed != null) {
                sampling.seed(seed);
            }
            if (logprobs != null) {
                sampling.logprobs(logprobs);
            }
            return sampling.build();
        } catch (InvalidRequestException e) {
            throw usage("--" + String.valueOf(e.getMessage()).replaceFirst("^max_tokens", "max-tokens"));
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private void ask(Generation generation, Entry entry, SamplingParameters defaults) throws InterruptedException {
        String id = Long.toString(entry.line());
        switch (entry) {
            case Entry.Bad bad ->
                generation.answered(bad.line(), Failed.of(id, FailureCode.INVALID_REQUEST, bad.reason()));
            case Entry.Prompt prompt -> {
                try {
                    var request = RequestFactory.request(
                            id, withOperation(prompt.request()), defaults, prompt.line(), System.nanoTime());
                    generation.ask(prompt.line(), request);
                } catch (InvalidRequestException e) {
                    String reason = String.valueOf(e.getMessage());
                    generation.answered(prompt.line(), Failed.of(id, FailureCode.INVALID_REQUEST, reason));
                }
            }
        }
    }

    private PromptRequest withOperation(PromptRequest request) {
        return raw && request.getPrompt() != null
                ? PromptRequest.newBuilder(request)
                        .setOperation(Operation.GENERATE.wireName())
                        .build()
                : request;
    }

    private void print(long line, Completion completion) {
        Terminal terminal = session.terminal();
        if (completion instanceof Failed failed) {
            anyFailed = true;
            String where = source.prompt != null ? "" : "line " + line + ": ";
            terminal.err().println("millrace: " + where + failed.message());
        }
        if (json) {
            Json.print(terminal.out(), Answer.json(line, completion));
        } else if (completion instanceof Completed completed) {
            printText(line, completed);
        }
        terminal.out().flush();
    }

    private void note(String why) {
        session.terminal().err().println("millrace: waiting for the model's server (Ctrl-C ends this): " + why);
    }

    private void printText(long line, Completed completed) {
        var out = session.terminal().out();
        if (source.prompt == null) {
            String reason = completed.finishReason().name().toLowerCase(Locale.ROOT);
            int tokens = completed.usage().completionTokens();
            out.println((answers++ == 0 ? "" : "\n") + "# line " + line + ", " + tokens + " tokens, " + reason);
        }
        out.println(Answer.text(completed).text());
    }
}
