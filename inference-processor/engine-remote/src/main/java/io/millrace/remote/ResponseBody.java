package io.millrace.remote;

import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.FaultException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;
import java.util.function.LongSupplier;

/**
 * A response's bytes, no more than allowed, each arrival noted.
 *
 * <p>Threads: its caller's.
 */
final class ResponseBody extends InputStream {

    private final InputStream in;
    private final long maxBytes;
    private final Attempt attempt;
    private final LongSupplier nanoClock;
    private long count;

    ResponseBody(InputStream in, long maxBytes, Attempt attempt, LongSupplier nanoClock) {
        this.in = in;
        this.maxBytes = maxBytes;
        this.attempt = attempt;
        this.nanoClock = nanoClock;
    }

    /** More bytes than allowed. */
    static final class TooLargeException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        private TooLargeException(long maxBytes) {
            super("response=more than " + maxBytes + " bytes, expected=at most remote.max_response_bytes");
        }

        FaultException fault() {
            return new FaultException(new Fault.Broken(Fault.Kind.BROKEN_BODY, String.valueOf(getMessage())));
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = in.read(bytes, offset, length);
        attempt.heard(nanoClock.getAsLong());
        count += Math.max(0, read);
        if (count > maxBytes) {
            throw new TooLargeException(maxBytes);
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
