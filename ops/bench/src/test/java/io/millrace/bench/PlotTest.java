package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlotTest {

    @TempDir
    Path folder;

    @Test
    void shouldDrawEachPanelBelowTheOneBefore() throws IOException {
        Path png = folder.resolve("new/report.png");

        Plot.write(
                png,
                List.of(
                        new Plot.Lines(
                                "Latency",
                                "percentile",
                                "ms",
                                List.of(
                                        new Plot.Line("engine", new double[] {0, 50, 100}, new double[] {1, 2, 9}),
                                        new Plot.Line("pipeline", new double[] {0, 50, 100}, new double[] {2, 4, 20}))),
                        new Plot.Bars(
                                "Throughput",
                                "tokens/s",
                                List.of("one thread", "all cores"),
                                List.of(
                                        new Plot.Bar("engine", List.of(100.0, 190.0), List.of(3.0, 10.0)),
                                        new Plot.Bar("pipeline", List.of(98.0, 180.0), List.of(3.0, 12.0))))));

        BufferedImage image = ImageIO.read(png.toFile());
        assertThat(image.getHeight()).isEqualTo(2 * 380);
        assertThat(coloursOfColumn(image, 0, 380)).isGreaterThan(3);
        assertThat(coloursOfColumn(image, 380, 760)).isGreaterThan(3);
        assertThat(Files.size(png)).isLessThan(256 * 1024);
    }

    /** Colours down a column through the bars or lines of a panel. */
    private static long coloursOfColumn(BufferedImage image, int from, int to) {
        return IntStream.range(from, to)
                .flatMap(y -> IntStream.range(100, 700).map(x -> image.getRGB(x, y)))
                .distinct()
                .count();
    }
}
