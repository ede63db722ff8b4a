package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.cli.top.FleetView;
import io.millrace.cli.top.FleetView.Flow;
import io.millrace.cli.top.FleetView.LastReport;
import io.millrace.cli.top.FleetView.Latency;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopTest {

    private static final ZoneId ZONE = ZoneOffset.UTC;
    private static final FleetView VIEW = view(List.of(
            engine("host-1", "smollm2", report(List.of(), Duration.ofMillis(400))),
            engine("host-2", "smollm2", report(List.of("FULL", "ENGINE(smollm2)"), Duration.ofMillis(400))),
            engine("host-3", "smollm2", report(List.of(), Duration.ofSeconds(9))),
            engine("host-4", "smollm2", Optional.empty())));

    @Test
    void shouldShowSummaryEnginesAndFailures() {
        List<String> screen = TopTable.screen(VIEW, ZONE, 160);

        assertThat(screen.getFirst())
                .startsWith("millrace top: 4 instances, last 10 s ")
                .endsWith(" 12:34:56")
                .hasSize(160);
        assertThat(screen.get(1))
                .isEqualTo("prompts/s 12.3   tokens/s in 340, out 512   running 6, waiting 2, pending 120");
        assertThat(screen.get(2)).isEqualTo("p50/p99: first token 210ms/1.3s, end to end 1.0s/125s");
        assertThat(screen.get(4).split(" {2,}", 0))
                .containsExactly(
                        "INSTANCE",
                        "MODEL",
                        "PROMPTS/S",
                        "IN TOK/S",
                        "TOK/S",
                        "BATCH",
                        "BUSY",
                        "KV",
                        "RUN",
                        "WAIT",
                        "PENDING",
                        "TTFT P50/P99",
                        "E2E P50/P99",
                        "GATE");
        assertThat(screen.get(5).split(" {2,}", 0))
                .containsExactly(
                        "host-1",
                        "smollm2",
                        "12.3",
                        "340",
                        "512",
                        "7.5",
                        "93%",
                        "50%",
                        "3",
                        "1",
                        "60",
                        "210ms/1.3s",
                        "1.0s/125s",
                        "open");
        assertThat(screen.get(6)).endsWith("FULL, ENGINE(smollm2)");
        assertThat(screen.get(7)).endsWith("silent for 9 s");
        assertThat(screen.get(8)).endsWith("-");
        assertThat(screen.getLast()).isEqualTo("Failures: DEADLINE_EXCEEDED 3, INVALID_REQUEST 1");
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 79, 80, 99, 100, 123, 124, 200})
    void shouldFitAnyWidth(int columns) {
        List<String> screen = TopTable.screen(VIEW, ZONE, columns);

        assertThat(screen).allSatisfy(line -> assertThat(TextWidth.of(line)).isLessThanOrEqualTo(columns));
        if (columns >= 79) {
            assertThat(screen.get(5)).contains("host-1", "512");
        }
    }

    @Test
    void shouldSayThatNobodyReports() {
        FleetView nobody = view(List.of());
        assertThat(TopTable.screen(nobody, ZONE, 80))
                .contains("No instance has reported. 'millrace process' starts one.");
    }

    @Test
    void shouldPrintHeadingsOnceAndRowsForEachViewWhenPiped() {
        var bytes = new ByteArrayOutputStream();
        var out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
        TopDisplay display = TopDisplay.lines(out, ZONE, 240);

        display.show(VIEW, 0);
        display.show(VIEW, 0);

        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines)
                .hasSize(9)
                .filteredOn(line -> line.startsWith("TIME "))
                .hasSize(1);
        assertThat(lines.get(1)).startsWith("12:34:56  host-1 ").endsWith("DEADLINE_EXCEEDED 3, INVALID_REQUEST 1");
        assertThat(lines).noneMatch(line -> line.contains("\u001B"));
    }

    @Test
    void shouldRedrawInPlaceAndLeaveTheTerminalAsItWas() {
        var bytes = new ByteArrayOutputStream();
        var out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
        try (TopDisplay display = TopDisplay.live(out, ZONE, () -> new ScreenSize(100, 6))) {
            display.show(VIEW, 2);
        }
        String text = bytes.toString(StandardCharsets.UTF_8);

        assertThat(text)
                .startsWith("\u001B[?1049h\u001B[?25l\u001B[Hmillrace top")
                .endsWith("\u001B[?25h\u001B[?1049l");
        // as many lines as the screen has, or it would scroll
        assertThat(text.split("\r\n", 0)).hasSize(6);
        assertThat(text).doesNotContain("\u001B[2J").contains("\u001B[K\r\n").contains("\u001B[J\u001B[?25h");
    }

    @Test
    void shouldTellOfRecordsThatCannotBeRead() {
        var bytes = new ByteArrayOutputStream();
        var out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
        TopDisplay.screenOnce(out, ZONE, 100).show(VIEW, 2);
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("Records that cannot be read: 2");
    }

    @Test
    void shouldPrintTheSameAsJson() {
        JsonNode json = TopTable.json(VIEW);

        assertThat(json.path("at").asText()).isEqualTo("2026-11-24T12:34:56Z");
        assertThat(json.path("requests_pending").asInt()).isEqualTo(120);
        assertThat(json.path("e2e_latency_p99_ms").asDouble()).isEqualTo(125_000);
        assertThat(json.at("/failures/DEADLINE_EXCEEDED").asInt()).isEqualTo(3);
        assertThat(json.at("/engines/1/gate_closures").toString()).isEqualTo("[\"FULL\",\"ENGINE(smollm2)\"]");
        assertThat(json.at("/engines/0/batch_size_mean").asDouble()).isEqualTo(7.5);
        assertThat(json.at("/engines/3").has("requests_running")).isFalse();
    }

    @Test
    void shouldPrintEachFigureUnderItsNameAndInItsUnit() {
        FleetView one = view(List.of(engine("host-2", "smollm2", report(List.of("FULL"), Duration.ofMillis(400)))));
        String flow =
                "\"prompts_per_second\":12.3,\"prompt_tokens_per_second\":340.4,\"generation_tokens_per_second\":512.4,"
                        + "\"time_to_first_token_p50_ms\":210.0,\"time_to_first_token_p99_ms\":1349.0,"
                        + "\"e2e_latency_p50_ms\":999.6,\"e2e_latency_p99_ms\":125000.0,";

        assertThat(TopTable.json(one))
                .hasToString("{\"at\":\"2026-11-24T12:34:56Z\",\"window_seconds\":10.0,\"instances\":1,"
                        + "\"requests_running\":6,\"requests_waiting\":2,\"requests_pending\":120," + flow
                        + "\"engines\":[{\"instance\":\"host-2\",\"model\":\"smollm2\"," + flow
                        + "\"batch_size_mean\":7.5,\"busy_fraction\":0.93,\"requests_running\":3,\"requests_waiting\":1,"
                        + "\"requests_pending\":60,\"kv_cache_usage_perc\":0.5,\"report_age_seconds\":0.4,"
                        + "\"gate_closures\":[\"FULL\"]}],"
                        + "\"failures\":{\"DEADLINE_EXCEEDED\":3,\"INVALID_REQUEST\":1}}");
    }

    @Test
    void shouldReadWhatSttySays() {
        var usual = new ScreenSize(80, 24);
        assertThat(ScreenSize.parse("50 132\n", usual)).isEqualTo(new ScreenSize(132, 50));
        assertThat(ScreenSize.parse("0 0\n", usual)).isEqualTo(usual);
        assertThat(ScreenSize.parse("", usual)).isEqualTo(usual);
        assertThat(ScreenSize.parse("99999999999 1", usual)).isEqualTo(usual);
    }

    private static FleetView view(List<FleetView.Engine> engines) {
        return new FleetView(
                Instant.parse("2026-11-24T12:34:56Z"),
                Duration.ofSeconds(10),
                engines.size(),
                engines,
                new FleetView.Total(flow(), 6, 2, 120),
                new java.util.TreeMap<>(Map.of("INVALID_REQUEST", 1, "DEADLINE_EXCEEDED", 3)));
    }

    private static FleetView.Engine engine(String instance, String model, Optional<LastReport> last) {
        return new FleetView.Engine(instance, model, flow(), 7.5, 0.93, last);
    }

    private static Flow flow() {
        return new Flow(
                12.3, 340.4, 512.4, Optional.of(new Latency(210, 1_349)), Optional.of(new Latency(999.6, 125_000)));
    }

    private static Optional<LastReport> report(List<String> closures, Duration age) {
        return Optional.of(new LastReport(3, 1, 60, 0.5, closures, age));
    }
}
