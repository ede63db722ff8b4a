package io.millrace.schemas.serde;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Keeps the {@value #MAX_ENTRIES} entries used last. Guarded by itself; loads outside the lock, so two threads may load the same entry. */
final class BoundedCache<K, V> {

    /** As many as Confluent's clients keep per subject by default; we see one writer schema per release of each producer. */
    static final int MAX_ENTRIES = 1000;

    private final Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > MAX_ENTRIES;
        }
    };

    /** The entry of the key, loaded if there is none; a load that throws leaves nothing. */
    V get(K key, Function<K, V> load) {
        V present = find(key);
        if (present != null) {
            return present;
        }
        V loaded = load.apply(key);
        synchronized (this) {
            entries.put(key, loaded);
        }
        return loaded;
    }

    synchronized int size() {
        return entries.size();
    }

    private synchronized @Nullable V find(K key) {
        return entries.get(key);
    }
}
