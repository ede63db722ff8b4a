package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Python's slices. */
final class Slices {

    private Slices() {}

    /** {@code items[start:stop:step]}. */
    static List<Object> pick(List<Object> items, Optional<Long> start, Optional<Long> stop, Optional<Long> step) {
        long by = step.orElse(1L);
        if (by == 0) {
            throw new TemplateException("slice step cannot be zero");
        }
        int size = items.size();
        long first =
                by > 0 ? bound(start.orElse(0L), size, 0, size) : bound(start.orElse(size - 1L), size, -1, size - 1);
        long end = by > 0
                ? bound(stop.orElse((long) size), size, 0, size)
                : stop.isEmpty() ? -1 : bound(stop.get(), size, -1, size - 1);
        List<Object> picked = new ArrayList<>();
        long stride = Math.clamp(by, -(size + 1L), size + 1L); // a longer one picks the same
        for (long at = first; by > 0 ? at < end : at > end; at += stride) {
            picked.add(items.get((int) at));
        }
        return picked;
    }

    /** An index, counted from the end where it is negative, within these bounds. */
    private static long bound(long index, int size, long least, long most) {
        return Math.clamp(index < 0 ? index + size : index, least, Math.max(least, most));
    }
}
