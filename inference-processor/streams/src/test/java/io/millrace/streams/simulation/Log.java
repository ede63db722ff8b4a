package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** One partition's records, with what read_committed consumers see of them. */
final class Log {

    /**
     * One record.
     *
     * @param transaction which it is part of; null: none
     * @param written when it came, among all records of all logs
     * @param writtenNanos the same in time
     */
    record Entry(
            @Nullable Transaction transaction,
            byte @Nullable [] key,
            byte @Nullable [] value,
            List<Header> headers,
            long written,
            long writtenNanos) {

        /** As it is sent. */
        static Entry of(byte @Nullable [] key, byte @Nullable [] value, List<Header> headers) {
            return new Entry(null, key, value, headers, 0, 0);
        }

        /** As it stands in a log. */
        Entry in(Transaction of, long number, long nanos) {
            return new Entry(of, key, value, headers, number, nanos);
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private int stable;

    void append(Entry entry) {
        entries.add(entry);
    }

    /** Offset after the last record, of finished transactions or not. */
    int end() {
        return entries.size();
    }

    /** The last stable offset: the first record of a transaction that has not ended here yet. */
    int stableEnd() {
        while (stable < entries.size()) {
            Transaction transaction = entries.get(stable).transaction();
            if (transaction != null && !transaction.hasEndedIn(this)) {
                break;
            }
            stable++;
        }
        return stable;
    }

    Entry at(int offset) {
        return entries.get(offset);
    }

    /** Committed records below an offset, which must be stable. */
    List<Entry> committed(int below) {
        List<Entry> committed = new ArrayList<>();
        for (int i = 0; i < below; i++) {
            Transaction transaction = entries.get(i).transaction();
            if (transaction == null || transaction.isCommitted()) {
                committed.add(entries.get(i));
            }
        }
        return committed;
    }
}
