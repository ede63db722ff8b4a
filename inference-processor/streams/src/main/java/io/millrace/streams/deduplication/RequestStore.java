package io.millrace.streams.deduplication;

import io.millrace.streams.pending.PendingStore;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** How the store of taken {@code request_id}s is built: as the pending store is, for the same reasons. */
public final class RequestStore {

    /** The store's name; its changelog is {@code <application.id>-requests-changelog}. */
    public static final String NAME = "requests";

    private RequestStore() {}

    /**
     * The store, not yet opened.
     *
     * @param maxRecordBytes the changelog's {@code max.message.bytes}
     */
    public static StoreBuilder<KeyValueStore<Bytes, byte[]>> builder(int maxRecordBytes) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(NAME), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(PendingStore.changelogConfig(maxRecordBytes));
    }

    /** The changelog's name. */
    public static String changelog(String applicationId) {
        return applicationId + "-" + NAME + "-changelog";
    }
}
