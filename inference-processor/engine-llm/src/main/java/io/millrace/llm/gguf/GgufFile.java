package io.millrace.llm.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;

/**
 * A GGUF model file (versions 2 and 3, little endian), memory-mapped: weights are read from the page cache, never copied to the heap.
 *
 * <p>Everything in the header is checked when it is opened, so that no later read leaves the file. Threads: immutable, shared freely; whoever
 * closes it makes sure that nobody reads its tensors any more.
 */
public final class GgufFile implements AutoCloseable {

    private final Path path;
    private final Arena arena;
    private final GgufHeader header;
    private final Map<String, GgufTensor> tensors;
    private final long byteSize;

    private GgufFile(Path path, Arena arena, MemorySegment bytes) throws GgufException {
        this.path = path;
        this.arena = arena;
        this.header = GgufHeader.read(path, bytes);
        this.tensors = header.tensors(bytes);
        this.byteSize = bytes.byteSize();
    }

    /**
     * Maps the file and reads its header.
     *
     * @throws GgufException where it is not a GGUF file that this program reads
     * @throws IOException where the file can't be read at all
     */
    @SuppressWarnings("MustBeClosedChecker") // the file that is returned owns the arena and closes it
    public static GgufFile open(Path path) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new GgufFile(path, arena, bytes);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /** The file's size in bytes. */
    public long byteSize() {
        return byteSize;
    }

    /** 2 or 3. */
    public int version() {
        return header.version();
    }

    public GgufMetadata metadata() {
        return header.metadata();
    }

    /** All tensors in file order, also those of types that can't be read. */
    public Collection<GgufTensor> tensors() {
        return Collections.unmodifiableCollection(tensors.values());
    }

    /**
     * The tensor of this name.
     *
     * @throws GgufException where there is none, or its type can't be read
     */
    public GgufTensor tensor(String name) throws GgufException {
        Optional<GgufTensor> tensor = findTensor(name);
        if (tensor.isEmpty()) {
            throw new GgufException(path, header.tensorInfoOffset(), "tensor " + name, "no tensor of this name");
        }
        return tensor.get();
    }

    /**
     * The tensor of this name, or empty.
     *
     * @throws GgufException where its type can't be read
     */
    public Optional<GgufTensor> findTensor(String name) throws GgufException {
        GgufTensor tensor = tensors.get(name);
        if (tensor != null && !tensor.type().readable()) {
            throw new GgufException(
                    path,
                    header.offsetOf(name),
                    "tensor " + name + " of type " + GgmlType.READABLE_NAMES,
                    tensor.type().toString());
        }
        return Optional.ofNullable(tensor);
    }

    /** An error about a tensor, at its description in the file: {@code expected} and {@code found} complete the message. */
    public GgufException failure(String tensor, String expected, String found) {
        return new GgufException(path, header.offsetOf(tensor), "tensor " + tensor + " of " + expected, found);
    }

    /** Unmaps the file; reading a tensor's data afterwards throws {@link IllegalStateException}. */
    @Override
    public void close() {
        arena.close();
    }
}
