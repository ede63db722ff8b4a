package io.millrace.sinks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * The sink's directory: {@code sink.lock} keeps a second sink out, {@code <topic>.id} remembers which topic the offsets in the file
 * names belong to, and the rest are the partitions' files.
 */
final class SinkDirectory implements AutoCloseable {
    private static final String LOCK_FILE = "sink.lock";

    private final Path path;
    private final FileChannel lock;

    private SinkDirectory(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /** Creates the directory if missing and locks it. The lock goes with the process, however that ends. */
    static SinkDirectory open(Path path) {
        try {
            Files.createDirectories(path);
            FileChannel channel =
                    FileChannel.open(path.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (isLockedByAnother(channel)) {
                channel.close();
                throw new SinkException("directory=" + path + ", expected=a directory that no other sink uses: "
                        + path.resolve(LOCK_FILE) + " is locked");
            }
            return new SinkDirectory(path, channel);
        } catch (IOException e) {
            throw new SinkException("directory=" + path + ", expected=a directory that can be written: " + e, e);
        }
    }

    private static boolean isLockedByAnother(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() == null;
        } catch (OverlappingFileLockException e) {
            return true; // by this JVM
        }
    }

    Storage storage() {
        return new DiskStorage(path);
    }

    List<SegmentName> files(TopicPartition partition) throws IOException {
        return storage().list().stream()
                .map(SegmentName::parse)
                .flatMap(Optional::stream)
                .filter(file -> file.partition().equals(partition))
                .toList();
    }

    /** Offsets mean nothing in a topic that was deleted and made anew under its old name. */
    void requireSameTopic(String topic, Uuid id) throws IOException {
        Path file = path.resolve(topic + ".id");
        if (!Files.exists(file)) {
            writeDurably(file, id.toString());
            return;
        }
        String known = Files.readString(file).strip();
        if (!known.equals(id.toString())) {
            throw new SinkException("topic=" + topic + ", id=" + id + ", expected=" + known + " as in " + file
                    + ": the topic was deleted and created again; write it to a new directory");
        }
    }

    private void writeDurably(Path file, String content) throws IOException {
        Path partial = path.resolve(file.getFileName() + ".partial");
        Files.writeString(partial, content);
        try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        storage().forceDirectory();
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new SinkException("directory=" + path + " could not be unlocked: " + e, e);
        }
    }
}
