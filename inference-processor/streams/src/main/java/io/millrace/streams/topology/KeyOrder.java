package io.millrace.streams.topology;

import io.millrace.streams.config.Ordering;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is where the results of one record key are to appear in the prompts' order: a prompt may go on when the
 * one before it with the same key has ended. Prompts without a key, and all prompts where no order is asked for, never wait.
 *
 * <p>Bound: what is pending in the task, each prompt in one queue. Threads: the task's stream thread only.
 *
 * @param <T> a prompt
 */
final class KeyOrder<T> {

    private final Ordering ordering;

    /** Those that wait, by the key of one that may go on and has not ended. */
    private final Map<Key, ArrayDeque<T>> waiting = new HashMap<>();

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

    /** A prompt comes, after all those before it in its partition. Answers whether it may go on at once. */
    boolean enter(byte @Nullable [] key, T prompt) {
        if (ordering == Ordering.NONE || key == null) {
            return true;
        }
        ArrayDeque<T> behind = waiting.get(new Key(key));
        if (behind == null) {
            waiting.put(new Key(key), new ArrayDeque<>(0));
            return true;
        }
        behind.addLast(prompt);
        return false;
    }

    /** The one of this key that could go on has ended. Answers which may go on now. */
    Optional<T> leave(byte @Nullable [] key) {
        if (ordering == Ordering.NONE || key == null) {
            return Optional.empty();
        }
        ArrayDeque<T> behind = waiting.get(new Key(key));
        if (behind == null) {
            return Optional.empty();
        }
        T next = behind.pollFirst();
        if (next == null) {
            waiting.remove(new Key(key));
        }
        return Optional.ofNullable(next);
    }

    /** Those that wait for the one of this key that may go on, in order. */
    Collection<T> behind(byte @Nullable [] key) {
        if (ordering == Ordering.NONE || key == null) {
            return List.of();
        }
        ArrayDeque<T> behind = waiting.get(new Key(key));
        return behind == null ? List.of() : behind;
    }

    void clear() {
        waiting.clear();
    }
}
