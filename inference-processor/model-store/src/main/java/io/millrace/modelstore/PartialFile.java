package io.millrace.modelstore;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** A download under way: the bytes that have come, and beside them which source and which state of the server's file they are of. */
final class PartialFile {
    /**
     * Where to go on.
     *
     * @param bytes bytes that are here
     * @param validator the server's strong ETag, or its modification date; empty: there is nothing to go on from
     */
    record Resume(long bytes, Optional<String> validator) {
        private static final Resume FROM_START = new Resume(0, Optional.empty());
    }

    private final Path folder;
    private final Path file;
    private final Path stateFile;
    private final String sourceId;

    PartialFile(Path folder, String fileName, String sourceId) {
        this.folder = folder;
        this.file = folder.resolve(fileName + ".part");
        this.stateFile = folder.resolve(fileName + ".part" + CacheRecord.SUFFIX);
        this.sourceId = sourceId;
    }

    Path path() {
        return file;
    }

    Path folder() {
        return folder;
    }

    long size() throws IOException {
        return Disk.sizeOf(file);
    }

    Resume resume() throws IOException {
        if (!Files.isRegularFile(stateFile) || size() == 0) {
            return Resume.FROM_START;
        }
        Properties state = new Properties();
        try (BufferedReader in = Files.newBufferedReader(stateFile)) {
            state.load(in);
        } catch (IllegalArgumentException e) {
            return Resume.FROM_START;
        }
        Optional<String> validator = Optional.ofNullable(state.getProperty("validator"));
        boolean same = sourceId.equals(state.getProperty("source_id"));
        return same && validator.isPresent() ? new Resume(size(), validator) : Resume.FROM_START;
    }

    /** Forgets what has come and notes what comes next. */
    void restart(@Nullable String etag, @Nullable String lastModified) throws IOException {
        discard();
        Properties state = new Properties();
        state.setProperty("source_id", sourceId);
        // a weak ETag promises no equal bytes
        if (etag != null && etag.startsWith("\"")) {
            state.setProperty("validator", etag);
        } else if (lastModified != null) {
            state.setProperty("validator", lastModified);
        }
        StringWriter text = new StringWriter();
        state.store(text, "a download under way");
        try {
            Files.writeString(stateFile, text.toString());
        } catch (IOException e) {
            throw Disk.explain(stateFile, e);
        }
    }

    FileChannel appendFrom(long bytes) throws IOException {
        try {
            FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            out.truncate(bytes);
            out.position(bytes);
            return out;
        } catch (IOException e) {
            throw Disk.explain(file, e);
        }
    }

    void write(FileChannel out, ByteBuffer bytes) throws ModelStoreException {
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw Disk.explain(file, e);
        }
    }

    void force(FileChannel out) throws ModelStoreException {
        try {
            out.force(true);
        } catch (IOException e) {
            throw Disk.explain(file, e);
        }
    }

    void discard() throws IOException {
        Files.deleteIfExists(file);
        Files.deleteIfExists(stateFile);
    }

    /** Gives the complete file its name. */
    void moveTo(Path target) throws IOException {
        Disk.moveInto(file, target);
        Files.deleteIfExists(stateFile);
    }
}
