package io.millrace.sinks;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/** The file system. */
final class DiskStorage implements Storage {
    private final Path directory;

    DiskStorage(Path directory) {
        this.directory = directory;
    }

    @Override
    public List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        }
    }

    @Override
    public Appender create(String name) throws IOException {
        return new ChannelAppender(
                FileChannel.open(directory.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), 0);
    }

    @Override
    public Appender reopen(String name, long size) throws IOException {
        FileChannel channel = FileChannel.open(directory.resolve(name), StandardOpenOption.WRITE);
        try {
            channel.truncate(size);
            channel.position(size);
            return new ChannelAppender(channel, size);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public InputStream read(String name) throws IOException {
        return new BufferedInputStream(Files.newInputStream(directory.resolve(name)), 1 << 16);
    }

    @Override
    public Instant createdAt(String name) throws IOException {
        return Files.readAttributes(directory.resolve(name), BasicFileAttributes.class)
                .creationTime()
                .toInstant();
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Path target = directory.resolve(to);
        if (Files.exists(target)) { // an atomic move would replace it; the lock keeps others away
            throw new FileAlreadyExistsException(target.toString());
        }
        Files.move(directory.resolve(from), target, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void forceDirectory() throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static final class ChannelAppender implements Appender {
        private final FileChannel channel;
        private long size;

        ChannelAppender(FileChannel channel, long size) {
            this.channel = channel;
            this.size = size;
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public void append(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                size += channel.write(bytes);
            }
        }

        @Override
        public void force() throws IOException {
            channel.force(true);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
