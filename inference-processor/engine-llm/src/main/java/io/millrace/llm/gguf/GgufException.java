package io.millrace.llm.gguf;

import java.io.IOException;
import java.nio.file.Path;

/** A model file that is corrupt, or holds what this program can't do. The message says where and what. */
public final class GgufException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;
    private final String expected;
    private final String found;

    /**
     * @param offset bytes from the start of the file to what is wrong
     * @param expected what should stand there
     * @param found what stands there
     */
    public GgufException(Path file, long offset, String expected, String found) {
        super("file=" + file + ", offset=" + offset + ", expected=" + expected + ", found=" + found);
        this.file = file.toString();
        this.offset = offset;
        this.expected = expected;
        this.found = found;
    }

    public Path file() {
        return Path.of(file);
    }

    /** Bytes from the start of the file. */
    public long offset() {
        return offset;
    }

    public String expected() {
        return expected;
    }

    public String found() {
        return found;
    }
}
