package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineTablesTest {

    @TempDir
    Path folder;

    @Test
    void shouldWriteTheSameFiguresForProgramsAndForPeople() throws IOException {
        PipelineTables.of(report(OptionalDouble.of(1.25))).write(folder);

        JsonNode json =
                new ObjectMapper().readTree(folder.resolve("pipeline.json").toFile());
        assertThat(json.at("/one_thread/ratio/median").asDouble()).isEqualTo(0.96);
        assertThat(json.at("/one_thread/engine/tokens_per_second/values")).hasSize(3);
        assertThat(json.at("/blocking/ratio/max").asDouble()).isEqualTo(4);
        assertThat(json.at("/loaded/added_p99_ms/median").asDouble()).isEqualTo(9);
        assertThat(json.at("/idle_percent").asDouble()).isEqualTo(1.25);
        assertThat(json.at("/plan/idle").asDouble()).isEqualTo(60);
        String text = Files.readString(folder.resolve("pipeline.md"));
        assertThat(text)
                .contains("| 1 thread | engine | 200 (190 to 210) |  | 24.5 | 0.990 | 40.0, 2.0 | 8.0, 5.0 |")
                .contains("| 1 thread | pipeline | 200 (190 to 210) | 0.960 (0.950 to 0.970) |")
                .contains("pipeline / one record at a time, one thread: 3.50 (3.00 to 4.00)")
                .contains("same answers from engine and pipeline: 190 of 192")
                .contains("| 4.0 | 50.0, 99.0 | 50.0, 99.0 | 7.0 (6.0 to 8.0) | 9.0 (8.0 to 10.0) | 50.0, 99.0 |")
                .contains("A process without prompts: 1.25 % of a core over 60 s");
        assertThat(Files.size(folder.resolve("pipeline.png"))).isBetween(1_000L, 256L * 1024);
    }

    @Test
    void shouldSayNothingOfAnIdleProcessThatWasNotWatched() throws IOException {
        ReportFiles report = PipelineTables.of(report(OptionalDouble.empty()));

        assertThat(report.markdown()).doesNotContain("without prompts");
        assertThat(new ObjectMapper()
                        .readTree(report.json())
                        .get("idle_percent")
                        .isNull())
                .isTrue();
    }

    private static PipelineReport report(OptionalDouble idle) {
        var side = new PipelineReport.Side(new Sample(190, 200, 210), 24.5, 0.99, 40, 2, 8, 5);
        var throughput = new PipelineReport.Throughput(1, side, side, new Sample(0.95, 0.96, 0.97), 95, 96);
        double[] percentiles =
                java.util.stream.IntStream.rangeClosed(0, 100).asDoubleStream().toArray();
        var latency = PipelineReport.Latency.of(percentiles);
        // of 101 values the 50th percentile is the 51st
        latency = new PipelineReport.Latency(50, 99, latency.percentiles());
        var added =
                new PipelineReport.Added(4, 160, latency, latency, new Sample(6, 7, 8), new Sample(8, 9, 10), latency);
        return new PipelineReport(
                Plan.DEFAULT,
                "model",
                2,
                "25",
                throughput,
                throughput,
                new PipelineReport.Blocking(8, side, new Sample(3, 3.5, 4)),
                added,
                added,
                idle);
    }
}
