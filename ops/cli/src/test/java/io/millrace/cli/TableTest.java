package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void shouldAlignColumnsAndCutTheWidest() {
        Table table =
                new Table().column("ID").column("TOKENS", Table.Align.RIGHT).column("ANSWER");
        table.row("a-1", 7, "short");
        table.row("a-2", 12, "a long answer\nof two lines");

        assertThat(print(table, 28)).isEqualTo("""
                        ID   TOKENS  ANSWER
                        a-1       7  short
                        a-2      12  a long answer …
                        """);
    }

    @Test
    void shouldCountWideCharactersAsTwoColumnsAndMarksAsNone() {
        assertThat(TextWidth.of("注文")).isEqualTo(4);
        assertThat(TextWidth.of("🙏")).isEqualTo(2);
        assertThat(TextWidth.of("e\u0301")).isEqualTo(1);
        assertThat(TextWidth.truncate("注文をキャンセル", 6)).isEqualTo("注文…");
    }

    @Test
    void shouldNotPassControlCharactersToTheTerminal() {
        Table table = new Table().column("ANSWER");
        table.row("\u001B[31mred\u0007");

        assertThat(print(table, 40)).isEqualTo("ANSWER\n[31mred\n");
    }

    private static String print(Table table, int columns) {
        var bytes = new ByteArrayOutputStream();
        table.print(new PrintStream(bytes, true, StandardCharsets.UTF_8), columns);
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
