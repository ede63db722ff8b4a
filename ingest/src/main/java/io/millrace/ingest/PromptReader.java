package io.millrace.ingest;

import io.millrace.ingest.LineReader.Line;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Prompts, one a line: as JSON objects of {@link PromptRequest}'s fields, or as plain text. Only a line's form is looked at
 * (JSON, names and types of fields); whether its values make sense is for the processor, which knows the model.
 *
 * <p>Threads: one at a time.
 */
public final class PromptReader implements AutoCloseable {

    /** How prompts stand in the file. */
    public enum Format {
        /** A JSON object a line. */
        JSON,
        /** A prompt a line. */
        TEXT
    }

    /** One line's prompt, or why there is none. */
    public sealed interface Entry {

        /** The line's number, from 1. */
        long line();

        /** A prompt. */
        record Prompt(long line, PromptRequest request) implements Entry {}

        /** Not a prompt; {@code reason} names the field, its value and what was expected. */
        record Bad(long line, String reason) implements Entry {}
    }

    /**
     * What a line gets that does not say it itself.
     *
     * @param model null: the processor's default
     * @param maxTokens null: the model's default
     */
    public record Defaults(@Nullable String model, @Nullable Integer maxTokens) {

        /** None. */
        public static final Defaults NONE = new Defaults(null, null);
    }

    private static final Map<String, String> AS_JSON = Map.of("value.format", "json");

    private final LineReader lines;
    private final Format format;
    private final Defaults defaults;
    private final Deserializer<PromptRequest> json = RecordSerdes.deserializer(PromptRequest.class, AS_JSON);

    public PromptReader(LineReader lines, Format format, Defaults defaults) {
        this.lines = lines;
        this.format = format;
        this.defaults = defaults;
    }

    /** The next prompt or bad line; empty at the end. */
    public Optional<Entry> next() throws IOException {
        return lines.next().map(this::read);
    }

    private Entry read(Line line) {
        return switch (line) {
            case Line.Unreadable unreadable -> new Entry.Bad(unreadable.number(), unreadable.reason());
            case Line.Text text
            when format == Format.TEXT ->
                new Entry.Prompt(
                        text.number(), withDefaults(PromptRequest.newBuilder().setPrompt(text.text())));
            case Line.Text text -> parse(text);
        };
    }

    private Entry parse(Line.Text line) {
        try {
            PromptRequest request = json.deserialize("", line.text().getBytes(StandardCharsets.UTF_8));
            return new Entry.Prompt(line.number(), withDefaults(PromptRequest.newBuilder(request)));
        } catch (KafkaException e) {
            return new Entry.Bad(line.number(), String.valueOf(e.getMessage()));
        }
    }

    private PromptRequest withDefaults(PromptRequest.Builder request) {
        if (request.getModel() == null && defaults.model() != null) {
            request.setModel(defaults.model());
        }
        if (request.getMaxTokens() == null && defaults.maxTokens() != null) {
            request.setMaxTokens(defaults.maxTokens());
        }
        return request.build();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
