package io.millrace.bench.chaos;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Samples as they are taken: rows of the same quantities. */
final class Samples {

    /** Trends are taken from what comes after this part of the run. */
    private static final double WARM_UP = 0.2;

    private final List<Double> hours = new ArrayList<>();
    private final Map<Key, List<Double>> columns = new LinkedHashMap<>();

    private record Key(String subject, String name) {}

    /** Begins a row. */
    void at(double hour) {
        hours.add(hour);
    }

    /** A value of the row that was begun last. One that was missed before is taken to have been the same. */
    void put(String subject, String name, double value) {
        List<Double> column = columns.computeIfAbsent(new Key(subject, name), key -> new ArrayList<>());
        while (column.size() < hours.size()) {
            column.add(value);
        }
    }

    int settledFrom() {
        return (int) (hours.size() * WARM_UP);
    }

    double[] hours() {
        return array(hours);
    }

    List<SoakReport.Series> series() {
        double[] settledHours = settled(hours());
        List<SoakReport.Series> series = new ArrayList<>();
        columns.forEach((key, column) -> {
            while (column.size() < hours.size()) { // did not answer at last
                column.add(column.getLast());
            }
            double[] values = array(column);
            series.add(
                    new SoakReport.Series(key.subject(), key.name(), values, Trend.of(settledHours, settled(values))));
        });
        return series;
    }

    private double[] settled(double[] all) {
        return Arrays.copyOfRange(all, settledFrom(), all.length);
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
