package io.millrace.streams.topology;

import io.millrace.streams.config.Ordering;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is where the results of one record key are to appear in the prompts' order: a prompt may run when the one
 * before it with the same key has ended. Prompts without a key, and all prompts where no order is asked for, never wait.
 *
 * <p>Bound: what is pending in the task, each prompt in one queue. Threads: the task's stream thread only.
 *
 * @param <T> a prompt
 */
final class KeyOrder<T> {

    private final Ordering ordering;

    /** By record key; the first of each may run. None is empty. */
    private final Map<Key, ArrayDeque<T>> queues = new HashMap<>();

    private record Key(byte[] bytes) {

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }
    }

    KeyOrder(Ordering ordering) {
        this.ordering = ordering;
    }

    /** Whether one of this key that came now would not have to wait. */
    boolean isFree(byte @Nullable [] key) {
        return first(key).isEmpty();
    }

    /** A prompt comes, after all those before it in its partition. Answers whether it may run at once. */
    boolean enter(byte @Nullable [] key, T prompt) {
        if (ordering == Ordering.NONE || key == null) {
            return true;
        }
        ArrayDeque<T> queue = queues.computeIfAbsent(new Key(key), made -> new ArrayDeque<>(1));
        queue.addLast(prompt);
        return queue.size() == 1;
    }

    /** Whether it is its turn, or nobody's. */
    @SuppressWarnings("ReferenceEquality") // it is asked about this very one
    boolean mayRun(byte @Nullable [] key, T prompt) {
        return first(key).map(first -> first == prompt).orElse(true);
    }

    /** The first of this key has ended. Answers whose turn it is now. */
    Optional<T> leave(byte @Nullable [] key) {
        if (ordering == Ordering.NONE || key == null) {
            return Optional.empty();
        }
        Key ordered = new Key(key);
        ArrayDeque<T> queue = queues.get(ordered);
        if (queue == null) {
            return Optional.empty();
        }
        queue.removeFirst();
        if (queue.isEmpty()) {
            queues.remove(ordered);
        }
        return Optional.ofNullable(queue.peekFirst());
    }

    /** The one of this key that may run, where there is one and the key has an order. */
    Optional<T> first(byte @Nullable [] key) {
        ArrayDeque<T> queue = queue(key);
        return queue == null ? Optional.empty() : Optional.ofNullable(queue.peekFirst());
    }

    /** Those that wait for the first of this key, in order. */
    List<T> behind(byte @Nullable [] key) {
        ArrayDeque<T> queue = queue(key);
        return queue == null ? List.of() : queue.stream().skip(1).toList();
    }

    /** Null where nobody of this key waits, or none has to. */
    private @Nullable ArrayDeque<T> queue(byte @Nullable [] key) {
        return ordering == Ordering.NONE || key == null ? null : queues.get(new Key(key));
    }
}
