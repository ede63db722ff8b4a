package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    private final AtomicLong nanos = new AtomicLong();

    @Test
    void shouldSayNothingWhenPiped() {
        try (var line = new ProgressLine(err, OptionalInt.empty(), nanos::get)) {
            line.update("1 of 2");
        }
        assertThat(bytes.size()).isZero();
    }

    @Test
    void shouldWriteOverItselfTenTimesASecondAndDisappear() {
        try (var line = new ProgressLine(err, OptionalInt.of(80), nanos::get)) {
            line.update("1 of 3");
            line.update("2 of 3");
            nanos.addAndGet(100_000_000);
            line.update("3 of 3");
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("\r\u001B[K1 of 3\r\u001B[K3 of 3\r\u001B[K");
    }
}
