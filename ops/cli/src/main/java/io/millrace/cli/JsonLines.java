package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InvalidRequestException;
import io.millrace.ingest.LineReader;
import io.millrace.ingest.LineReader.Line;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;

/** Lines of JSON through a function, answers in the same order; a bad line gets an error and the others their answers. */
final class JsonLines {

    /** The name that means standard input. */
    static final String STDIN = "-";

    private JsonLines() {}

    /** Where a command's lines come from: a file, or standard input for {@value #STDIN}. */
    static InputStream open(String file, Terminal terminal) throws IOException {
        if (file.equals(STDIN)) {
            return terminal.in();
        }
        try {
            return Files.newInputStream(Path.of(file));
        } catch (NoSuchFileException e) {
            throw new CliException(
                    ExitCode.USAGE, "file=" + file + ", expected=a file that exists, or - for standard input", e);
        }
    }

    /** Calls {@code answer} for each line and {@code print} for each answer or error. */
    static ExitCode run(
            InputStream in,
            Terminal terminal,
            Function<ObjectNode, ObjectNode> answer,
            java.util.function.Consumer<ObjectNode> print)
            throws IOException {
        ExitCode code = ExitCode.OK;
        try (var lines = new LineReader(in)) {
            for (Optional<Line> next = lines.next(); next.isPresent(); next = lines.next()) {
                Line line = next.get();
                try {
                    print.accept(answer.apply(parse(line)));
                } catch (BadLineException | InvalidRequestException | KafkaException e) {
                    print.accept(refuse(terminal, line.number(), String.valueOf(e.getMessage())));
                    code = ExitCode.INPUT;
                }
            }
        }
        return code;
    }

    /** Says on stderr what is wrong with a line and returns what stands in its answer's place. */
    static ObjectNode refuse(Terminal terminal, long line, String reason) {
        terminal.err().println("millrace: line " + line + ": " + reason);
        return Answer.error(line, FailureCode.INVALID_REQUEST, reason);
    }

    private static ObjectNode parse(Line line) {
        return switch (line) {
            case Line.Text text -> Json.parseObject(text.text());
            case Line.Unreadable unreadable -> throw new BadLineException(unreadable.reason());
        };
    }
}
