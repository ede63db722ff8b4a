package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.ingest.LineReader.Line;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LineReaderTest {

    @Test
    void shouldNumberLinesFromOneAndSkipBlankOnes() throws IOException {
        assertThat(read("a\n\n  \nb\r\nc".getBytes(StandardCharsets.UTF_8), 100))
                .containsExactly(new Line.Text(1, "a"), new Line.Text(4, "b"), new Line.Text(5, "c"));
    }

    @Test
    void shouldReadNothingFromNothing() throws IOException {
        assertThat(read(new byte[0], 100)).isEmpty();
    }

    @Test
    void shouldGoOnAfterALineThatIsTooLong() throws IOException {
        assertThat(read("0123456789\nok\n".getBytes(StandardCharsets.UTF_8), 4))
                .containsExactly(new Line.Unreadable(1, "line_bytes=10, expected=at most 4"), new Line.Text(2, "ok"));
        assertThat(read("0123\n01234".getBytes(StandardCharsets.UTF_8), 4))
                .containsExactly(new Line.Text(1, "0123"), new Line.Unreadable(2, "line_bytes=5, expected=at most 4"));
    }

    @Test
    void shouldGoOnAfterALineThatIsNotUtf8() throws IOException {
        assertThat(read(new byte[] {(byte) 0xC3, '\n', 'o', 'k'}, 100))
                .containsExactly(new Line.Unreadable(1, "encoding=not UTF-8, expected=UTF-8"), new Line.Text(2, "ok"));
    }

    @Test
    void shouldDropAByteOrderMark() throws IOException {
        assertThat(read("\uFEFFfirst\n\uFEFFsecond".getBytes(StandardCharsets.UTF_8), 100))
                .containsExactly(new Line.Text(1, "first"), new Line.Text(2, "\uFEFFsecond"));
    }

    private static List<Line> read(byte[] bytes, int maxLineBytes) throws IOException {
        List<Line> lines = new ArrayList<>();
        try (var reader = new LineReader(new ByteArrayInputStream(bytes), maxLineBytes)) {
            for (Optional<Line> line = reader.next(); line.isPresent(); line = reader.next()) {
                lines.add(line.get());
            }
        }
        return lines;
    }
}
