package io.millrace.sinks;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.OptionalLong;

/**
 * How much of an open file is whole. After a kill the last line may be torn; after a power failure any line that was not forced may
 * be. So all lines are read, and the first that is not whole, or not in order, ends the valid part.
 *
 * @param validBytes bytes up to the end of the last whole line
 * @param tornBytes bytes after that
 * @param position the next offset to read
 */
record OpenFileScan(long validBytes, long tornBytes, long position) {

    static OpenFileScan of(Storage storage, SegmentName file) throws IOException {
        try (InputStream in = storage.read(file.fileName())) {
            return scan(in, file.from());
        }
    }

    private static OpenFileScan scan(InputStream in, long from) throws IOException {
        long position = from;
        long validBytes = 0;
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b != '\n') {
                line.write(b);
                continue;
            }
            OptionalLong offset = JsonlLine.offsetOf(line.toByteArray());
            if (offset.isEmpty() || offset.getAsLong() < position) {
                long rest = line.size() + 1L + in.transferTo(OutputStream.nullOutputStream());
                return new OpenFileScan(validBytes, rest, position);
            }
            position = offset.getAsLong() + 1;
            validBytes += line.size() + 1L;
            line.reset();
        }
        return new OpenFileScan(validBytes, line.size(), position);
    }
}
