package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.Sample;
import io.millrace.devstack.ServerMetrics.Load;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteTablesTest {

    private static final double[] PERCENTILES = new double[101];

    @TempDir
    Path folder;

    @Test
    void shouldWriteTheSameFiguresAsJsonAndAsTables() throws IOException {
        RemoteTables.of(report()).write(folder);

        String tables = Files.readString(folder.resolve("remote.md"));
        assertThat(tables)
                .contains("| 2 | 16 clients, directly | 100 (90 to 110) |  | 15.5 | 95 % | 0.25, 3 | 1.0, 2.0 |")
                .contains(
                        "| 2 | the same, streamed | 96 (95 to 97) | 0.960 (0.950 to 0.970) | 15.5 | 95 % | 0.25, 3 | 1.5, 2.5 |")
                .contains(
                        "| 2 | Millrace | 98 (97 to 99) | 0.980 (0.970 to 0.990) | 15.5 | 95 % | 0.25, 3 | 3.0, 4.0 |")
                .contains("one run each: 8: 80, 16: 101; the same text from Millrace: 120 of 128")
                .contains("| the same behind the slack gate | 30 | 50, 99 | 1.50 (1.50 to 1.50) | 15.5, 3 |")
                .contains("the server's llamacpp:requests_processing, read", "4:1.0, 16:0.1");
        JsonNode json =
                new ObjectMapper().readTree(folder.resolve("remote.json").toFile());
        assertThat(json.at("/throughput/0/ratio/median").asDouble()).isEqualTo(0.98);
        assertThat(json.at("/live/slack/latency/p99").asDouble()).isEqualTo(99);
        assertThat(folder.resolve("remote.png")).isNotEmptyFile();
    }

    @Test
    void shouldCountTheServersQueueOnlyWhileAllSlotsAreTaken() {
        ServerSampler.Use use = ServerSampler.Use.of(
                List.of(new Load(4, 2, 0, 0), new Load(4, 0, 0, 0), new Load(3, 9, 0, 0), new Load(1, 0, 0, 0)), 4, 77);

        assertThat(use).isEqualTo(new ServerSampler.Use(4, 3, 0.5, 1, 9, 77));
        assertThat(ServerSampler.Use.of(List.of(), 4, 0)).isEqualTo(new ServerSampler.Use(0, 0, 0, 0, 0, 0));
    }

    @Test
    void shouldRefuseAPlanThatMeasuresNothing() {
        assertThatThrownBy(() -> RemotePlan.QUICK.withRounds(0)).hasMessage("rounds=0, expected=at least 1");
        assertThatThrownBy(() -> RemotePlan.QUICK.withServerThreads(List.of(1, 0)))
                .hasMessage("server_threads=[1, 0], expected=numbers of 1 or more");
        assertThatThrownBy(() -> new RemotePlan.Live(0, 1, 1, 1)).hasMessage("per_second=0.0, expected=above 0");
    }

    private static RemoteReport report() {
        java.util.Arrays.setAll(PERCENTILES, i -> i);
        var server = new RemoteReport.Server(15.5, 0.95, 0.25, 3);
        var beside = new RemoteReport.Beside(
                30, new PipelineReport.Latency(50, 99, PERCENTILES), new Sample(1.5, 1.5), server);
        return new RemoteReport(
                RemotePlan.DEFAULT,
                "llama-server",
                "model.gguf",
                2,
                "25",
                List.of(new RemoteReport.Throughput(
                        2,
                        List.of(new RemoteReport.Clients(8, 80), new RemoteReport.Clients(16, 101)),
                        16,
                        new RemoteReport.Side(new Sample(90, 100, 110), server, 1, 2),
                        new RemoteReport.Side(new Sample(95, 96, 97), server, 1.5, 2.5),
                        new Sample(0.95, 0.96, 0.97),
                        new RemoteReport.Side(new Sample(97, 98, 99), server, 3, 4),
                        new Sample(0.97, 0.98, 0.99),
                        120,
                        128)),
                new RemoteReport.Live(1, 1.5, beside, beside, beside, "llamacpp:requests_processing", "4:1.0, 16:0.1"));
    }
}
