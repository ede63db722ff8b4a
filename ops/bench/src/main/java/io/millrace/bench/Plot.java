package io.millrace.bench;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A report's charts, below one another in one PNG.
 *
 * <p>Threads: not for use by several.
 */
public final class Plot {

    private static final int WIDTH = 900;
    private static final int HEIGHT = 380;
    private static final int TICK_SPACING = 80;

    /** A single chart of a report. */
    public sealed interface Panel {}

    /** One line of a {@link Lines} panel; {@code x} and {@code y} are equally long, and not empty. */
    public record Line(String name, double[] x, double[] y) {}

    /** Lines over a common axis. Titles name the units. */
    public record Lines(String title, String xTitle, String yTitle, List<Line> lines) implements Panel {}

    /**
     * One bar for each category.
     *
     * @param medians how high each bar is
     * @param spreads what is drawn about its top, in each direction
     */
    public record Bar(String name, List<Double> medians, List<Double> spreads) {}

    /** Bars side by side in each category. The title of the axis names the unit. */
    public record Bars(String title, String yTitle, List<String> categories, List<Bar> bars) implements Panel {}

    private Plot() {}

    /**
     * Draws, without a display.
     *
     * @param png the file; its folder is created where there is none
     * @throws IOException the file cannot be written
     */
    public static void write(Path png, List<Panel> panels) throws IOException {
        System.setProperty("java.awt.headless", "true");
        List<Chart<?, ?>> charts = new ArrayList<>();
        for (Panel panel : panels) {
            charts.add(
                    switch (panel) {
                        case Lines lines -> chart(lines);
                        case Bars bars -> chart(bars);
                    });
        }
        Path parent = png.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        BitmapEncoder.saveBitmap(charts, charts.size(), 1, png.toString(), BitmapFormat.PNG);
    }

    private static XYChart chart(Lines panel) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(panel.title())
                .xAxisTitle(panel.xTitle())
                .yAxisTitle(panel.yTitle())
                .build();
        plain(chart.getStyler());
        chart.getStyler().setXAxisTickMarkSpacingHint(TICK_SPACING);
        for (Line line : panel.lines()) {
            chart.addSeries(line.name(), line.x(), line.y()).setMarker(SeriesMarkers.NONE);
        }
        return chart;
    }

    private static CategoryChart chart(Bars panel) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(panel.title())
                .yAxisTitle(panel.yTitle())
                .build();
        plain(chart.getStyler());
        for (Bar bar : panel.bars()) {
            chart.addSeries(bar.name(), panel.categories(), bar.medians(), bar.spreads());
        }
        return chart;
    }

    private static void plain(Styler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    }
}
