package io.millrace.streams.pending;

import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** How the pending store is built: in memory, logged, not cached. */
public final class PendingStore {

    /** The store's name; its changelog is {@code <application.id>-pending-changelog}. */
    public static final String NAME = "pending";

    private static final long MIB = 1024 * 1024;

    private static final String MINUTES_15_MS = "900000";

    private PendingStore() {}

    /**
     * In memory because RocksDB under exactly-once is wiped and restored after a crash anyway; not cached, so that each
     * change is in the changelog before the commit.
     *
     * @param maxRecordBytes the changelog's {@code max.message.bytes}
     */
    public static StoreBuilder<KeyValueStore<Bytes, byte[]>> builder(int maxRecordBytes) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(NAME), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(changelogConfig(maxRecordBytes));
    }

    /** The changelog's name. */
    public static String changelog(String applicationId) {
        return applicationId + "-" + NAME + "-changelog";
    }

    /**
     * Topic settings. The store is small and its entries are short-lived, so compaction must be eager: with Kafka's
     * defaults a restore reads every tombstone of the last day.
     */
    public static Map<String, String> changelogConfig(int maxRecordBytes) {
        return Map.of(
                "cleanup.policy",
                "compact",
                // longer than any restore takes, or a restoring task would miss a tombstone
                "delete.retention.ms",
                MINUTES_15_MS,
                "min.cleanable.dirty.ratio",
                "0.01",
                "segment.ms",
                "60000",
                "segment.bytes",
                Long.toString(segmentBytes(maxRecordBytes)),
                "max.compaction.lag.ms",
                "60000",
                // entries keep their prompt's timestamp, whatever clock it is from
                "message.timestamp.after.max.ms",
                Long.toString(Long.MAX_VALUE),
                "max.message.bytes",
                Integer.toString(maxRecordBytes));
    }

    /** Small, so that it is soon compacted, and larger than any record. */
    private static long segmentBytes(int maxRecordBytes) {
        return Math.clamp(maxRecordBytes + MIB, 8 * MIB, Integer.MAX_VALUE);
    }
}
