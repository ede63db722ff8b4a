package io.millrace.sinks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The files of one partition: finished ones and the one being written, which always exists, since its name and its lines hold the
 * position. A partition's data may therefore be moved away, finished file by finished file, while the sink runs.
 *
 * <p>A file is finished in this order, so that a crash at any point leaves the position and loses no line: force its content; create
 * the next open file, named by the position; rename the full one; force the directory.
 *
 * <p>Used by one thread.
 */
final class PartitionFiles implements AutoCloseable {
    private final Storage storage;
    private final Rolling rolling;

    private SegmentName open;
    private Storage.Appender appender;
    private long position;
    private boolean unforced;
    private @Nullable Instant firstRecordAt;

    private PartitionFiles(
            Storage storage, Rolling rolling, SegmentName open, Storage.Appender appender, long position) {
        this.storage = storage;
        this.rolling = rolling;
        this.open = open;
        this.appender = appender;
        this.position = position;
    }

    /**
     * Continues where an earlier sink stopped or died: finishes a roll that it began and cuts a torn tail.
     *
     * @param existing the partition's files
     * @param beginning the first offset if there are no files
     */
    static PartitionFiles recover(
            Storage storage,
            Rolling rolling,
            TopicPartition partition,
            List<SegmentName> existing,
            LongSupplier beginning)
            throws IOException {
        List<SegmentName> openFiles = existing.stream()
                .filter(SegmentName::isOpen)
                .sorted(Comparator.comparingLong(SegmentName::from))
                .toList();
        OptionalLong finishedTo =
                existing.stream().flatMapToLong(file -> file.to().stream()).max();
        if (openFiles.isEmpty()) {
            return begin(storage, rolling, SegmentName.open(partition, finishedTo.orElseGet(beginning)));
        }
        SegmentName last = openFiles.getLast();
        if (finishedTo.isPresent() && finishedTo.getAsLong() > last.from()) {
            throw new SinkException("file=" + last.fileName() + ", expected=from at least " + finishedTo.getAsLong()
                    + ", where the finished files end");
        }
        for (int i = 0; i < openFiles.size() - 1; i++) {
            finishBegunRoll(storage, openFiles.get(i), openFiles.get(i + 1).from());
        }
        return resume(storage, rolling, last);
    }

    private static PartitionFiles begin(Storage storage, Rolling rolling, SegmentName open) throws IOException {
        Storage.Appender appender = storage.create(open.fileName());
        storage.forceDirectory();
        return new PartitionFiles(storage, rolling, open, appender, open.from());
    }

    /** The next open file exists, so this one was forced before: all of it is there. */
    private static void finishBegunRoll(Storage storage, SegmentName full, long to) throws IOException {
        OpenFileScan scan = OpenFileScan.of(storage, full);
        if (scan.tornBytes() > 0 || scan.position() != to) {
            throw new SinkException("file=" + full.fileName() + ", position=" + scan.position() + ", torn_bytes="
                    + scan.tornBytes() + ", expected=complete lines up to " + to + ": the file was changed");
        }
        storage.rename(full.fileName(), full.finished(to).fileName());
        storage.forceDirectory();
    }

    private static PartitionFiles resume(Storage storage, Rolling rolling, SegmentName open) throws IOException {
        OpenFileScan scan = OpenFileScan.of(storage, open);
        Storage.Appender appender = storage.reopen(open.fileName(), scan.validBytes());
        PartitionFiles files = new PartitionFiles(storage, rolling, open, appender, scan.position());
        files.unforced = true; // what a killed sink wrote may not be on disk, nor is the cut
        if (scan.validBytes() > 0) {
            files.firstRecordAt = storage.createdAt(open.fileName());
        }
        files.force();
        return files;
    }

    /** The next offset to read: all committed records below it are in the files. */
    long position() {
        return position;
    }

    /** Adds a line; {@code offset} is at least {@link #position}. Durable after {@link #force}. */
    void append(long offset, byte[] line) throws IOException {
        assert offset >= position : "offset=" + offset + ", position=" + position;
        if (appender.size() > 0 && appender.size() + line.length > rolling.maxBytes()) {
            finish();
        }
        if (firstRecordAt == null) {
            firstRecordAt = rolling.clock().instant();
        }
        unforced = true;
        appender.append(ByteBuffer.wrap(line));
        position = offset + 1;
    }

    void force() throws IOException {
        if (unforced) {
            appender.force();
            unforced = false;
        }
    }

    void finishIfOld() throws IOException {
        if (firstRecordAt != null
                && !firstRecordAt.plus(rolling.maxAge()).isAfter(rolling.clock().instant())) {
            finish();
        }
    }

    /** Finishes the file, if anything is in it, and opens the next. */
    void finish() throws IOException {
        if (appender.size() == 0) {
            return;
        }
        force();
        SegmentName full = open;
        SegmentName next = SegmentName.open(open.partition(), position);
        Storage.Appender nextAppender = storage.create(next.fileName());
        appender.close();
        appender = nextAppender;
        open = next;
        firstRecordAt = null;
        storage.rename(full.fileName(), full.finished(position).fileName());
        storage.forceDirectory();
    }

    @Override
    public void close() throws IOException {
        appender.close();
    }
}
