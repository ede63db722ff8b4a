package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bench on a tiny workload: that all of it runs and each prompt is answered once, not what it measures. */
class BenchPipelineTest {

    @TempDir
    Path folder;

    @Test
    void shouldReportWhatItMeasuredOfAnswersThatAllCameOnce() throws IOException {
        Cli cli = Cli.run("bench", "pipeline", "--quick", "--out", folder.toString());

        assertThat(cli.exitCode()).as(cli.err()).isZero();
        assertThat(cli.out())
                .contains("## Throughput: 4 prompts", "| 1 thread | pipeline |", "one record at a time")
                .contains("same answers from engine and pipeline: 8 of 8");
        JsonNode json =
                new ObjectMapper().readTree(folder.resolve("pipeline.json").toFile());
        assertThat(json.at("/one_thread/answers").asInt()).isEqualTo(4);
        for (String figure : new String[] {
            "/one_thread/ratio/median",
            "/all_cores/ratio/median",
            "/blocking/ratio/median",
            "/loaded/pipeline/p99",
            "/immediate/pipeline/p99",
            "/one_thread/pipeline/commits_per_second"
        }) {
            assertThat(json.at(figure).asDouble()).as(figure).isPositive();
        }
        assertThat(folder.resolve("pipeline.md")).isNotEmptyFile();
        assertThat(folder.resolve("pipeline.png")).isNotEmptyFile();
    }

    @Test
    void shouldRefuseToCountNoRounds() {
        Cli cli = Cli.run("bench", "pipeline", "--quick", "--rounds", "0");

        assertThat(cli.exitCode()).isEqualTo(ExitCode.USAGE.value);
        assertThat(cli.err()).contains("rounds=0, expected=at least 1");
    }
}
