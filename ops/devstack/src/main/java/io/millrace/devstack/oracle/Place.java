package io.millrace.devstack.oracle;

import java.util.Comparator;

/** One prompt event: where it stands in the prompts topic. */
public record Place(int partition, long offset) implements Comparable<Place> {

    private static final Comparator<Place> ORDER =
            Comparator.comparingInt(Place::partition).thenComparingLong(Place::offset);

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    /** As messages name it: {@code 3@17}. */
    @Override
    public String toString() {
        return partition + "@" + offset;
    }
}
