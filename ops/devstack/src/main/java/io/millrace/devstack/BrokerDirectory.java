package io.millrace.devstack;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/** A broker's directory, locked against a second broker while this object is open: {@code lock} and {@code data/}. */
final class BrokerDirectory implements AutoCloseable {
    private static final String LOCK_FILE = "millrace-broker.lock";

    private final Path path;
    private final boolean deleteOnClose;
    private final FileChannel lockChannel;

    private BrokerDirectory(Path path, boolean deleteOnClose) {
        this.path = path;
        this.deleteOnClose = deleteOnClose;
        this.lockChannel = lock(path);
    }

    static BrokerDirectory temporary() {
        try {
            return new BrokerDirectory(Files.createTempDirectory("millrace-kafka-"), true);
        } catch (IOException e) {
            throw new KafkaStartException(
                    "no temporary directory: java.io.tmpdir=" + System.getProperty("java.io.tmpdir"), e);
        }
    }

    static BrokerDirectory persistent(Path path) {
        try {
            return new BrokerDirectory(
                    Files.createDirectories(path.toAbsolutePath().normalize()), false);
        } catch (IOException e) {
            throw new KafkaStartException("directory=" + path + ", expected=a directory that can be written", e);
        }
    }

    Path path() {
        return path;
    }

    Path data() {
        return path.resolve("data");
    }

    /** Writes a cluster id and the metadata version, unless an earlier broker did. */
    void format() {
        format(BrokerProperties.NODE_ID, Uuid.randomUuid().toString());
    }

    /** The same for a node of a cluster whose id is given. */
    void format(int nodeId, String clusterId) {
        if (Files.exists(data().resolve("meta.properties"))) {
            return;
        }
        try {
            Files.createDirectories(data());
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setNodeId(nodeId)
                    .setClusterId(clusterId)
                    .setDirectories(List.of(data().toString()))
                    .setControllerListenerName(BrokerProperties.CONTROLLER_LISTENER)
                    .setMetadataLogDirectory(data().toString())
                    .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
                    .run();
        } catch (Exception e) {
            throw new KafkaStartException("directory=" + path + " could not be formatted: " + e.getMessage(), e);
        }
    }

    private static FileChannel lock(Path path) {
        Path file = path.resolve(LOCK_FILE);
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(channel) == null) {
                channel.close();
                throw new KafkaStartException("directory=" + path + ", expected=a directory that no other broker uses: "
                        + file + " is locked");
            }
            return channel;
        } catch (IOException e) {
            throw new KafkaStartException("directory=" + path + ", expected=a directory that can be written", e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this JVM
        }
    }

    @Override
    public void close() {
        try {
            lockChannel.close();
            if (deleteOnClose) {
                deleteTree(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("directory=" + path, e);
        }
    }

    static void deleteTree(Path root) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : deepestFirst) {
            Files.deleteIfExists(file);
        }
    }
}
