package io.millrace.streams.deduplication;

import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.deduplication.TakenCodec.Taken;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The {@code request_id}s that one partition's prompts have taken: each by one prompt, until that ends without an answer,
 * until the window has passed or until so many came after it that it is the oldest of too many.
 *
 * <p>The window's clock starts at the wall clock, or at the newest entry where that is later, and then runs by {@code
 * nanoTime}: a clock that is set while this runs neither empties the window nor stops it. Entries of a topic that was
 * deleted and created again do not count.
 *
 * <p>Memory: an entry is 33 + 16 bytes, about 350 with the objects around it, in the store and in the order of eviction.
 *
 * <p>Threads: the task's stream thread only.
 */
public final class RequestWindow {

    /** Entries that one call may forget: more than it adds, and few enough for a stream thread. */
    private static final int FORGOTTEN_PER_CALL = 64;

    private final KeyValueStore<Bytes, byte[]> store;
    private final Uuid topicId;
    private final long windowMs;
    private final int maxEntries;
    private final LongSupplier nanoClock;

    /** By offset, oldest first. */
    private final Map<Long, Entry> byAge = new LinkedHashMap<>();

    /** Of another topic: to be deleted. */
    private final ArrayDeque<Bytes> foreign = new ArrayDeque<>();

    private final long startMs;
    private final long startNanos;

    private record Entry(Bytes id, long atMs) {}

    /**
     * A window over a restored store.
     *
     * @param topicId the prompts topic's
     * @param wallClockMs now, milliseconds since 1970-01-01 UTC
     */
    public RequestWindow(
            KeyValueStore<Bytes, byte[]> store,
            DeduplicationSettings settings,
            Uuid topicId,
            long wallClockMs,
            LongSupplier nanoClock) {
        this.store = store;
        this.topicId = topicId;
        this.windowMs = settings.window().toMillis();
        this.maxEntries = settings.maxEntries();
        this.nanoClock = nanoClock;
        this.startMs = Math.max(wallClockMs, load());
        this.startNanos = nanoClock.getAsLong();
    }

    /** Answers the newest entry's time. */
    private long load() {
        record Loaded(long offset, Entry entry) {}
        List<Loaded> loaded = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries = store.all()) {
            while (entries.hasNext()) {
                KeyValue<Bytes, byte[]> entry = entries.next();
                Taken taken = TakenCodec.decode(entry.value);
                if (taken.topicId().equals(topicId)) {
                    loaded.add(new Loaded(taken.offset(), new Entry(entry.key, taken.atMs())));
                } else {
                    foreign.add(entry.key);
                }
            }
        }
        loaded.sort(Comparator.comparingLong((Loaded each) -> each.entry.atMs).thenComparingLong(Loaded::offset));
        loaded.forEach(each -> byAge.put(each.offset, each.entry));
        return loaded.isEmpty() ? Long.MIN_VALUE : loaded.getLast().entry.atMs;
    }

    /**
     * A prompt asks for its id.
     *
     * @return the offset of the prompt that has it; empty where the asker has it now, or had it before
     */
    public OptionalLong take(String requestId, long offset) {
        long nowMs = nowMs();
        Bytes id = TakenCodec.key(requestId);
        byte[] stored = store.get(id);
        if (stored != null) {
            Taken taken = TakenCodec.decode(stored);
            if (taken.topicId().equals(topicId)) {
                if (taken.offset() == offset) {
                    return OptionalLong.empty();
                }
                if (!isOver(taken.atMs(), nowMs)) {
                    return OptionalLong.of(taken.offset());
                }
                byAge.remove(taken.offset());
            } else {
                foreign.remove(id);
            }
        }
        store.put(id, TakenCodec.encode(new Taken(topicId, offset, nowMs)));
        byAge.put(offset, new Entry(id, nowMs));
        forget(nowMs);
        return OptionalLong.empty();
    }

    /** Whether the prompt at this offset has taken its id. */
    public boolean hasTaken(long offset) {
        return byAge.containsKey(offset);
    }

    /** The prompt at this offset has ended without an answer: its id may be sent again. */
    public void release(long offset) {
        Entry entry = byAge.remove(offset);
        if (entry != null) {
            store.delete(entry.id);
        }
    }

    /** Entries that are remembered. */
    public int size() {
        return byAge.size();
    }

    private void forget(long nowMs) {
        int left = FORGOTTEN_PER_CALL;
        for (; left > 0 && !foreign.isEmpty(); left--) {
            store.delete(foreign.removeFirst());
        }
        Iterator<Entry> oldestFirst = byAge.values().iterator();
        while (left > 0 && oldestFirst.hasNext()) {
            Entry oldest = oldestFirst.next();
            if (byAge.size() <= maxEntries && !isOver(oldest.atMs, nowMs)) {
                return;
            }
            oldestFirst.remove();
            store.delete(oldest.id);
            left--;
        }
    }

    /** The moment at which the whole window has passed is after it. */
    private boolean isOver(long atMs, long nowMs) {
        return nowMs - atMs >= windowMs;
    }

    private long nowMs() {
        return startMs + (nanoClock.getAsLong() - startNanos) / 1_000_000;
    }
}
