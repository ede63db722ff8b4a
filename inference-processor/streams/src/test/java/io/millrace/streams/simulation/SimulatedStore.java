package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** One of a task's stores in memory; each change goes to its changelog. */
// Kafka's stores take and give null for what is not there; the interface is not annotated
@SuppressWarnings("NullAway")
final class SimulatedStore implements KeyValueStore<Bytes, byte[]> {

    private final TreeMap<Bytes, byte[]> entries = new TreeMap<>();
    private final String name;
    private final BiConsumer<Bytes, byte[]> changelog;
    private final Mutation mutation;
    private @Nullable Runnable late;

    /** Where restoration ends: the changelog's end when it began, of open transactions too. */
    int restoreEnd;

    /** @param mutation of this store */
    SimulatedStore(String name, BiConsumer<Bytes, byte[]> changelog, Mutation mutation) {
        this.name = name;
        this.changelog = changelog;
        this.mutation = mutation;
    }

    void restore(List<Log.Entry> changes) {
        if (mutation == Mutation.FORGOTTEN_REQUESTS) {
            return;
        }
        for (Log.Entry change : changes) {
            apply(Bytes.wrap(change.key()), change.value());
        }
    }

    private void apply(Bytes key, byte @Nullable [] value) {
        if (value == null) {
            entries.remove(key);
        } else {
            entries.put(key, value);
        }
    }

    @Override
    public void put(Bytes key, byte[] value) {
        apply(key, value);
        if (mutation == Mutation.LATE_PUT) {
            Runnable before = late;
            late = () -> changelog.accept(key, value);
            if (before != null) {
                before.run();
            }
        } else {
            changelog.accept(key, value);
        }
    }

    @Override
    public byte[] putIfAbsent(Bytes key, byte[] value) {
        byte[] before = entries.get(key);
        if (before == null) {
            put(key, value);
        }
        return before;
    }

    @Override
    public void putAll(List<KeyValue<Bytes, byte[]>> all) {
        all.forEach(entry -> put(entry.key, entry.value));
    }

    @Override
    public byte[] delete(Bytes key) {
        byte[] before = entries.get(key);
        if (mutation != Mutation.SKIPPED_DELETE && mutation != Mutation.KEPT_REQUESTS) {
            put(key, null);
        }
        return before;
    }

    @Override
    public byte[] get(Bytes key) {
        return entries.get(key);
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        return new Entries(new ArrayList<>(entries.subMap(from, true, to, true).entrySet()));
    }

    @Override
    public KeyValueIterator<Bytes, byte[]> all() {
        return new Entries(mutation == Mutation.SKIPPED_RECOVERY ? List.of() : new ArrayList<>(entries.entrySet()));
    }

    @Override
    public long approximateNumEntries() {
        return entries.size();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {}

    @Override
    public void close() {}

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    private static final class Entries implements KeyValueIterator<Bytes, byte[]> {
        private final List<Map.Entry<Bytes, byte[]>> all;
        private final Iterator<Map.Entry<Bytes, byte[]>> iterator;
        private int next;

        Entries(List<Map.Entry<Bytes, byte[]>> all) {
            this.all = all;
            this.iterator = all.iterator();
        }

        @Override
        public boolean hasNext() {
            return iterator.hasNext();
        }

        @Override
        public KeyValue<Bytes, byte[]> next() {
            next++;
            Map.Entry<Bytes, byte[]> entry = iterator.next();
            return new KeyValue<>(entry.getKey(), entry.getValue());
        }

        @Override
        public Bytes peekNextKey() {
            return all.get(next).getKey();
        }

        @Override
        public void close() {}
    }
}
