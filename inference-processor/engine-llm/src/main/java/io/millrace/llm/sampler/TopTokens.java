package io.millrace.llm.sampler;

import java.util.Arrays;

/** Finds the tokens of largest value, the lower id first among equals, without sorting the rest. Holds scratch memory: one thread at a time. */
final class TopTokens {

    private final long[] heap; // largest key on top: the worst token that is still among the best

    /** @param most most tokens to find or sort */
    TopTokens(int most) {
        this.heap = new long[most];
    }

    /**
     * Writes the ids of the {@code k} largest of {@code values[from, from + count)} to {@code ids}, largest first.
     *
     * @return how many: the lesser of k and count
     */
    int select(float[] values, int from, int count, int k, int[] ids) {
        int size = Math.min(k, count);
        for (int i = 0; i < size; i++) {
            heap[i] = key(values[from + i], i);
        }
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i, size);
        }
        for (int i = size; i < count; i++) {
            long key = key(values[from + i], i);
            if (key < heap[0]) {
                heap[0] = key;
                siftDown(0, size);
            }
        }
        Arrays.sort(heap, 0, size);
        for (int i = 0; i < size; i++) {
            ids[i] = (int) heap[i];
        }
        return size;
    }

    /** Sorts the first {@code count} ids by their values, largest first, the lower id first among equals. */
    void sort(float[] values, int[] ids, int count) {
        for (int i = 0; i < count; i++) {
            heap[i] = key(values[ids[i]], ids[i]);
        }
        Arrays.sort(heap, 0, count);
        for (int i = 0; i < count; i++) {
            ids[i] = (int) heap[i];
        }
    }

    /** Ascending keys are descending values, then ascending ids. */
    private static long key(float value, int id) {
        int bits = Float.floatToRawIntBits(value + 0f); // -0 counts as 0
        int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return (long) ~ordered << 32 | id;
    }

    private void siftDown(int from, int size) {
        int parent = from;
        long key = heap[from];
        while (2 * parent + 1 < size) {
            int child = 2 * parent + 1;
            if (child + 1 < size && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= key) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
        }
        heap[parent] = key;
    }
}
