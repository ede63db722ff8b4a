package io.millrace.streams.config;

import java.util.ArrayList;
import java.util.List;

/**
 * A function of one value: linear between points, level before the first and after the last.
 *
 * @param points at least one, by rising value
 */
public record Curve(List<Point> points) {

    /** At a {@code value} of at least 0, a {@code fraction} of 0 to 1. */
    public record Point(double value, double fraction) {}

    /** Throws {@link IllegalArgumentException} where values do not rise or fractions are out of range. */
    public Curve {
        points = List.copyOf(points);
        double before = -1;
        for (Point point : points) {
            boolean rises = point.value() > before && point.value() >= 0 && Double.isFinite(point.value());
            if (!rises || !(point.fraction() >= 0 && point.fraction() <= 1)) {
                throw new IllegalArgumentException(
                        "point=" + point + ", expected=a value above " + before + " and a fraction of 0 to 1");
            }
            before = point.value();
        }
        if (points.isEmpty()) {
            throw new IllegalArgumentException("points=[], expected=at least one");
        }
    }

    /**
     * A curve as a file has it: {@code 0:1, 4:0.5, 8:0}.
     *
     * @throws IllegalArgumentException when it is none
     */
    static Curve parse(String text) {
        List<Point> points = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String[] pair = part.split(":", -1);
            if (pair.length != 2) {
                throw new IllegalArgumentException("point=" + part + ", expected=VALUE:FRACTION");
            }
            points.add(new Point(Double.parseDouble(pair[0].strip()), Double.parseDouble(pair[1].strip())));
        }
        return new Curve(points);
    }
}
