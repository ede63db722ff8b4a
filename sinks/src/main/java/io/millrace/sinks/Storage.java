package io.millrace.sinks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;

/**
 * One directory of files, in the few operations whose order decides what a crash leaves behind. Tests crash between and inside them.
 */
interface Storage {

    /** Names of all files, in no order. */
    List<String> list() throws IOException;

    /** A new empty file; an existing one is an error. Durable after {@link #forceDirectory}. */
    Appender create(String name) throws IOException;

    /** An existing file, cut to {@code size} bytes, to be written from there. */
    Appender reopen(String name, long size) throws IOException;

    InputStream read(String name) throws IOException;

    Instant createdAt(String name) throws IOException;

    /** Atomic; replaces nothing. Durable after {@link #forceDirectory}. */
    void rename(String from, String to) throws IOException;

    /** Makes creations and renames durable. */
    void forceDirectory() throws IOException;

    /** The end of one file. */
    interface Appender extends AutoCloseable {
        /** Bytes in the file, written ones included. */
        long size();

        /** Writes all of it, or throws and leaves a part. */
        void append(ByteBuffer bytes) throws IOException;

        /** Makes the content durable. */
        void force() throws IOException;

        @Override
        void close() throws IOException;
    }
}
