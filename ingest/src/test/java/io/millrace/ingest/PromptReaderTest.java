package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.ingest.PromptReader.Defaults;
import io.millrace.ingest.PromptReader.Entry;
import io.millrace.ingest.PromptReader.Format;
import io.millrace.schemas.PromptRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PromptReaderTest {

    @Test
    void shouldReadJsonLinesAndPlainText() throws IOException {
        assertThat(read("{\"prompt\":\"Hi\",\"max_tokens\":3}\n", Format.JSON, Defaults.NONE))
                .containsExactly(new Entry.Prompt(
                        1,
                        PromptRequest.newBuilder()
                                .setPrompt("Hi")
                                .setMaxTokens(3)
                                .build()));
        assertThat(read("{\"prompt\"\nZwei\n", Format.TEXT, Defaults.NONE))
                .containsExactly(prompt(1, "{\"prompt\""), prompt(2, "Zwei"));
    }

    @Test
    void shouldFillInDefaultsOnlyWhereALineSaysNothing() throws IOException {
        String lines = "{\"prompt\":\"a\",\"model\":\"m\",\"max_tokens\":3}\n{\"prompt\":\"b\"}\n";
        assertThat(read(lines, Format.JSON, new Defaults("default", 7)))
                .containsExactly(
                        new Entry.Prompt(
                                1,
                                PromptRequest.newBuilder()
                                        .setPrompt("a")
                                        .setModel("m")
                                        .setMaxTokens(3)
                                        .build()),
                        new Entry.Prompt(
                                2,
                                PromptRequest.newBuilder()
                                        .setPrompt("b")
                                        .setModel("default")
                                        .setMaxTokens(7)
                                        .build()));
    }

    @Test
    void shouldSayWhatIsWrongWithALineAndGoOn() throws IOException {
        String lines = "{\"prompt\":\"a\",\"max_token\":3}\n{\"prompt\":\n{\"prompt\":\"b\"}\n";
        List<Entry> entries = read(lines, Format.JSON, Defaults.NONE);

        assertThat(entries).hasSize(3);
        assertThat(entries.get(0)).isInstanceOfSatisfying(Entry.Bad.class, bad -> {
            assertThat(bad.line()).isEqualTo(1);
            assertThat(bad.reason()).startsWith("max_token=3, expected=").contains("max_tokens");
        });
        assertThat(entries.get(1)).isInstanceOfSatisfying(Entry.Bad.class, bad -> {
            assertThat(bad.line()).isEqualTo(2);
            assertThat(bad.reason()).startsWith("not JSON: ");
        });
        assertThat(entries.get(2)).isEqualTo(prompt(3, "b"));
    }

    private static Entry prompt(long line, String text) {
        return new Entry.Prompt(line, PromptRequest.newBuilder().setPrompt(text).build());
    }

    private static List<Entry> read(String text, Format format, Defaults defaults) throws IOException {
        List<Entry> entries = new ArrayList<>();
        var lines = new LineReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        try (var reader = new PromptReader(lines, format, defaults)) {
            for (Optional<Entry> entry = reader.next(); entry.isPresent(); entry = reader.next()) {
                entries.add(entry.get());
            }
        }
        return entries;
    }
}
