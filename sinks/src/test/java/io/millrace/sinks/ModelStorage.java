package io.millrace.sinks;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * A directory in memory that crashes at a chosen operation. It knows what a real one keeps: after a kill all that was done, after a
 * power failure only what was forced, any part of unforced bytes, the rest perhaps as zeros, and a prefix of unforced name changes.
 */
final class ModelStorage implements Storage {
    /** Thrown by the operation that the crash hits. */
    static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    enum Kind {
        KILL,
        POWER_FAILURE
    }

    private static final class FileState {
        byte[] content = new byte[0];
        int forced;
    }

    private final Random random;
    private Map<String, FileState> names = new HashMap<>();
    private Map<String, FileState> durableNames = new HashMap<>();
    private final List<Map<String, FileState>> unforcedNames = new ArrayList<>();
    private long operations;
    private long crashAt = Long.MAX_VALUE;

    ModelStorage(Random random) {
        this.random = random;
    }

    /** Operations that changed something so far. */
    long operations() {
        return operations;
    }

    /** Crashes at the n-th change from now, from 1. */
    void crashAfter(long changes) {
        crashAt = operations + changes;
    }

    /** What the next process finds. */
    void restart(Kind kind) {
        crashAt = Long.MAX_VALUE;
        if (kind == Kind.POWER_FAILURE) {
            int kept = random.nextInt(unforcedNames.size() + 1);
            names = kept == 0 ? new HashMap<>(durableNames) : unforcedNames.get(kept - 1);
            names.values().forEach(this::losePart);
        }
        durableNames = new HashMap<>(names);
        unforcedNames.clear();
    }

    private void losePart(FileState file) {
        int kept = file.forced + random.nextInt(file.content.length - file.forced + 1);
        if (random.nextBoolean()) {
            file.content = Arrays.copyOf(file.content, kept);
        } else {
            Arrays.fill(file.content, kept, file.content.length, (byte) 0); // the size was written, the bytes were not
        }
        file.forced = file.content.length;
    }

    /** True if the change is to happen before the crash. */
    private boolean changes() {
        operations++;
        if (operations < crashAt) {
            return true;
        }
        if (random.nextBoolean()) {
            throw new Crash();
        }
        return false;
    }

    private void crashIf(boolean crash) {
        if (crash) {
            throw new Crash();
        }
    }

    @Override
    public List<String> list() {
        return List.copyOf(names.keySet());
    }

    @Override
    public Appender create(String name) {
        boolean last = !changes();
        if (names.putIfAbsent(name, new FileState()) != null) {
            throw new AssertionError("exists: " + name);
        }
        unforcedNames.add(new HashMap<>(names));
        crashIf(last);
        return new ModelAppender(file(name));
    }

    @Override
    public Appender reopen(String name, long size) {
        boolean last = !changes();
        FileState file = file(name);
        file.content = Arrays.copyOf(file.content, Math.toIntExact(size));
        file.forced = Math.min(file.forced, file.content.length);
        crashIf(last);
        return new ModelAppender(file);
    }

    @Override
    public InputStream read(String name) {
        return new ByteArrayInputStream(file(name).content);
    }

    @Override
    public Instant createdAt(String name) {
        return Instant.EPOCH;
    }

    @Override
    public void rename(String from, String to) throws IOException {
        boolean last = !changes();
        if (names.containsKey(to)) {
            throw new IOException("exists: " + to);
        }
        FileState file = Objects.requireNonNull(names.remove(from), from);
        names.put(to, file);
        unforcedNames.add(new HashMap<>(names));
        crashIf(last);
    }

    @Override
    public void forceDirectory() {
        boolean last = !changes();
        durableNames = new HashMap<>(names);
        unforcedNames.clear();
        crashIf(last);
    }

    private FileState file(String name) {
        return Objects.requireNonNull(names.get(name), name);
    }

    byte[] content(String name) {
        return file(name).content;
    }

    private final class ModelAppender implements Appender {
        private final FileState file;

        ModelAppender(FileState file) {
            this.file = file;
        }

        @Override
        public long size() {
            return file.content.length;
        }

        @Override
        public void append(ByteBuffer bytes) {
            boolean last = !changes();
            int written = last ? random.nextInt(bytes.remaining() + 1) : bytes.remaining();
            int end = file.content.length;
            file.content = Arrays.copyOf(file.content, end + written);
            bytes.get(file.content, end, written);
            crashIf(last);
        }

        @Override
        public void force() {
            boolean last = !changes();
            file.forced = file.content.length;
            crashIf(last);
        }

        @Override
        public void close() {}
    }
}
