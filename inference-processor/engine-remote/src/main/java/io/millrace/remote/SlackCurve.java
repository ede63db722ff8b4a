package io.millrace.remote;

import java.util.ArrayList;
import java.util.List;

/**
 * What part of the budgets a signal's value leaves: linear between points, level before the first and after the last.
 *
 * @param points at least one, by rising value
 */
public record SlackCurve(List<Point> points) {

    /** At a {@code value} of the signal, this {@code fraction} of the budgets, 0 to 1. */
    public record Point(double value, double fraction) {}

    public SlackCurve {
        points = List.copyOf(points);
        RemoteOptions.check("remote.slack.curve", points, !points.isEmpty(), "at least one point");
        double before = Double.NEGATIVE_INFINITY;
        for (Point point : points) {
            boolean rising = Double.isFinite(point.value()) && point.value() > before;
            RemoteOptions.check("remote.slack.curve", point.value(), rising, "values that rise from point to point");
            boolean part = point.fraction() >= 0 && point.fraction() <= 1;
            RemoteOptions.check("remote.slack.curve", point.fraction(), part, "fractions of 0 to 1");
            before = point.value();
        }
    }

    /**
     * A curve as it stands in a configuration: {@code 0:1, 4:0.5, 8:0}.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static SlackCurve parse(String text) {
        List<Point> points = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String[] pair = part.strip().split(":", -1);
            try {
                RemoteOptions.check("remote.slack.curve", text, pair.length == 2, "value:fraction, value:fraction, …");
                points.add(new Point(Double.parseDouble(pair[0]), Double.parseDouble(pair[1])));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "remote.slack.curve=" + text + ", expected=value:fraction, value:fraction, …", e);
            }
        }
        return new SlackCurve(points);
    }

    /** The fraction at a value. */
    double at(double value) {
        Point before = points.getFirst();
        for (Point point : points) {
            if (value <= point.value()) {
                return between(before, point, value);
            }
            before = point;
        }
        return before.fraction();
    }

    private static double between(Point before, Point after, double value) {
        if (value <= before.value()) {
            return before.fraction();
        }
        double part = (value - before.value()) / (after.value() - before.value());
        return before.fraction() + part * (after.fraction() - before.fraction());
    }
}
