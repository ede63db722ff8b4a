package io.millrace.cli;

import io.millrace.ingest.LineReader;
import io.millrace.ingest.PromptReader;
import io.millrace.ingest.PromptReader.Defaults;
import io.millrace.ingest.PromptReader.Entry;
import io.millrace.ingest.PromptReader.Format;
import io.millrace.ingest.PromptSubmitter;
import io.millrace.ingest.PromptSubmitter.Summary;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace submit}: prompts into the prompts topic. */
@Command(
        name = "submit",
        description = {
            "Sends prompts to the prompts topic.",
            "",
            "Each line is a JSON object of a prompt record's fields, or with --text a prompt as it stands. A line that is no prompt is"
                    + " named on stderr and makes the exit code 4; the others are sent. Whether a prompt's values make sense is"
                    + " for the processor, which answers wrong ones in the failures topic. The record's key is the request_id;"
                    + " prompts without one take the partitions in turn."
        },
        footer = {
            "",
            "Examples:",
            "  millrace submit prompts.jsonl",
            "  millrace submit --text --max-tokens 64 questions.txt",
            "  echo '{\"prompt\": \"Name three rivers.\"}' | millrace submit -"
        })
final class SubmitCommand implements Callable<Integer> {

    private final Session session;

    @Parameters(paramLabel = "FILE|-", description = "Prompts, one a line; - is standard input.")
    String file = JsonLines.STDIN;

    @Option(names = "--text", description = "Lines are prompts as they stand, not JSON.")
    boolean text;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "NAME",
            description = "Model of prompts that name none.")
    @Nullable
    String model;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens to generate for prompts that do not say.")
    @Nullable
    Integer maxTokens;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            description = "The prompts topic (default: the configuration's topics.prompts).")
    @Nullable
    String topic;

    SubmitCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Terminal terminal = session.terminal();
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        String to = topic == null ? session.config().topics().prompts() : topic;
        var lines = new LineReader(JsonLines.open(file, terminal));
        Format format = text ? Format.TEXT : Format.JSON;
        long bad = 0;
        Summary summary;
        KafkaAccess.require(kafka, to);
        try (var prompts = new PromptReader(lines, format, new Defaults(model, maxTokens));
                var submitter = new PromptSubmitter(
                        PromptSubmitter.idempotentProducer(kafka),
                        RecordSerdes.serializer(PromptRequest.class, kafka),
                        to,
                        (line, e) -> complain(line, String.valueOf(e.getMessage())))) {
            for (Optional<Entry> entry = prompts.next(); entry.isPresent(); entry = prompts.next()) {
                switch (entry.get()) {
                    case Entry.Prompt prompt -> submitter.submit(prompt.line(), prompt.request());
                    case Entry.Bad line -> {
                        bad++;
                        complain(line.line(), line.reason());
                    }
                }
            }
            summary = submitter.finish();
        }
        terminal.err().println(report(to, summary, bad));
        return (summary.failed() > 0 ? ExitCode.KAFKA : bad > 0 ? ExitCode.INPUT : ExitCode.OK).value;
    }

    private static String report(String topic, Summary summary, long bad) {
        String sent = "Submitted " + summary.acknowledged() + " prompts to " + topic;
        return sent
                + (bad == 0 ? "" : ", " + bad + " lines were not prompts")
                + (summary.failed() == 0 ? "" : ", " + summary.failed() + " could not be sent");
    }

    private void complain(long line, String reason) {
        session.terminal().err().println("millrace: line " + line + ": " + reason);
    }
}
