package io.millrace.modelstore;

import io.millrace.modelstore.ProgressListener.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.Serial;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads a file into its partial file, going on where an earlier attempt was cut, if the server still has the same
 * file (Range with If-Range). Redirects are followed here, so that a token never leaves its host.
 */
final class HttpDownload {
    private static final Logger log = LoggerFactory.getLogger(HttpDownload.class);
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int MAX_REDIRECTS = 10;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    /** An attempt that brought this much was no failure: the count starts again. */
    private static final long PROGRESS_BYTES = 16L << 20;

    /**
     * How long and how often to try.
     *
     * @param connect to connect
     * @param read without a byte
     * @param attempts in a row that bring nothing
     * @param firstPause before the second attempt; doubles from there
     */
    record Patience(Duration connect, Duration read, int attempts, Duration firstPause) {
        static final Patience USUAL =
                new Patience(Duration.ofSeconds(15), Duration.ofSeconds(60), 6, Duration.ofSeconds(1));
    }

    private final URI uri;
    private final Optional<String> bearerToken;
    private final PartialFile part;
    private final OptionalLong expectedBytes;
    private final Reporter reporter;
    private final Patience patience;

    HttpDownload(
            URI uri,
            Optional<String> bearerToken,
            PartialFile part,
            OptionalLong expectedBytes,
            Reporter reporter,
            Patience patience) {
        this.uri = uri;
        this.bearerToken = bearerToken;
        this.part = part;
        this.expectedBytes = expectedBytes;
        this.reporter = reporter;
        this.patience = patience;
    }

    /** Runs until the partial file is complete, or fails with a message that says whether another run may go on from it. */
    void run() throws IOException {
        int failures = 0;
        while (expectedBytes.isEmpty() || part.resume().bytes() != expectedBytes.getAsLong()) {
            long before = part.size();
            try {
                attempt();
                return;
            } catch (TryAgain e) {
                failures = part.size() - before >= PROGRESS_BYTES ? 1 : failures + 1;
                if (failures >= patience.attempts) {
                    throw new ModelStoreException(
                            show(uri) + ": " + e.getMessage() + "; gave up after " + failures + " attempts, "
                                    + part.size() + " bytes are kept and the next fetch goes on from there",
                            e);
                }
                log.warn("{}: {}; trying again from byte {}", show(uri), e.getMessage(), part.size());
                pause(failures, e.retryAfter);
            }
        }
    }

    private void attempt() throws IOException {
        PartialFile.Resume resume = part.resume();
        HttpURLConnection connection = connect(resume);
        try {
            int status = status(connection);
            switch (status) {
                case HttpURLConnection.HTTP_OK -> {
                    part.restart(connection.getHeaderField("ETag"), connection.getHeaderField("Last-Modified"));
                    copy(connection, 0, connection.getContentLengthLong());
                }
                case HttpURLConnection.HTTP_PARTIAL ->
                    copy(connection, resume.bytes(), totalOf(connection, resume.bytes()));
                case 416 -> checkComplete(connection, resume.bytes());
                default -> throw refused(status, connection);
            }
        } finally {
            connection.disconnect();
        }
    }

    private HttpURLConnection connect(PartialFile.Resume resume) throws IOException {
        URI at = uri;
        for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
            HttpURLConnection connection = (HttpURLConnection) at.toURL().openConnection();
            connection.setInstanceFollowRedirects(false);
            connection.setConnectTimeout(Math.toIntExact(patience.connect.toMillis()));
            connection.setReadTimeout(Math.toIntExact(patience.read.toMillis()));
            connection.setRequestProperty("User-Agent", "millrace");
            connection.setRequestProperty("Accept-Encoding", "identity");
            if (bearerToken.isPresent() && WebAddress.isSameOrigin(uri, at)) {
                connection.setRequestProperty("Authorization", "Bearer " + bearerToken.get());
            }
            if (resume.validator().isPresent()) {
                connection.setRequestProperty("Range", "bytes=" + resume.bytes() + "-");
                connection.setRequestProperty("If-Range", resume.validator().get());
            }
            if (!isRedirect(status(connection))) {
                return connection;
            }
            String location = connection.getHeaderField("Location");
            connection.disconnect();
            at = redirected(at, location == null ? "" : location);
        }
        throw new ModelStoreException(show(uri) + ": more than " + MAX_REDIRECTS + " redirects");
    }

    private static int status(HttpURLConnection connection) throws IOException {
        try {
            return connection.getResponseCode();
        } catch (IOException e) {
            throw new TryAgain(e.getClass().getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    private URI redirected(URI from, String location) throws ModelStoreException {
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new ModelStoreException(show(uri) + ": redirect to " + location + ", expected=a URL", e);
        }
        if (location.isEmpty() || to.getHost() == null || !WebAddress.isAllowed(to)) {
            throw new ModelStoreException(show(uri) + ": redirect to " + show(to) + ", expected=https:");
        }
        return to;
    }

    private long totalOf(HttpURLConnection connection, long firstByte) throws IOException {
        String range = String.valueOf(connection.getHeaderField("Content-Range"));
        int slash = range.indexOf('/');
        if (!range.startsWith("bytes " + firstByte + "-") || slash < 0) {
            throw new ModelStoreException(
                    show(uri) + ": Content-Range=" + range + ", expected=bytes " + firstByte + "-…");
        }
        String total = range.substring(slash + 1);
        return total.matches("\\d{1,18}") ? Long.parseLong(total) : -1;
    }

    /** The server has nothing after what is here: either it is all here, or it is of another file. */
    private void checkComplete(HttpURLConnection connection, long bytes) throws IOException {
        if (!("bytes */" + bytes).equals(connection.getHeaderField("Content-Range"))) {
            part.discard();
            throw new TryAgain("the server's file is another than the one that was begun");
        }
    }

    private void copy(HttpURLConnection connection, long from, long total) throws IOException {
        if (total >= 0) {
            requireSize(total);
            Disk.requireSpace(part.folder(), total - from);
        }
        long limit = expectedBytes.orElse(total >= 0 ? total : Long.MAX_VALUE);
        reporter.begin(Stage.DOWNLOADING, from, total >= 0 ? OptionalLong.of(total) : expectedBytes);
        long done = from;
        byte[] buffer = new byte[BUFFER_BYTES];
        try (FileChannel out = part.appendFrom(from);
                InputStream in = body(connection)) {
            for (int n = read(in, buffer, done); n >= 0; n = read(in, buffer, done)) {
                done += n;
                if (done > limit) {
                    throw new ModelStoreException(
                            show(uri) + ": size=more than " + limit + ", expected=" + limit + " bytes");
                }
                part.write(out, ByteBuffer.wrap(buffer, 0, n));
                reporter.advance(done);
            }
            part.force(out);
        }
        if (done < total) {
            throw new TryAgain("cut at byte " + done + " of " + total);
        }
    }

    private static InputStream body(HttpURLConnection connection) throws IOException {
        try {
            return connection.getInputStream();
        } catch (IOException e) {
            throw new TryAgain(e.getClass().getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    private static int read(InputStream in, byte[] buffer, long done) throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted at byte " + done);
        }
        try {
            return in.read(buffer);
        } catch (IOException e) {
            throw new TryAgain("cut at byte " + done + " (" + e.getMessage() + ")", e);
        }
    }

    private void requireSize(long found) throws ModelStoreException {
        if (expectedBytes.isPresent() && found != expectedBytes.getAsLong()) {
            throw new ModelStoreException(
                    show(uri) + ": size=" + found + ", expected=" + expectedBytes.getAsLong() + " bytes");
        }
    }

    private IOException refused(int status, HttpURLConnection connection) {
        String where = show(uri) + ": status=" + status;
        return switch (status) {
            case 401, 403 ->
                new ModelStoreException(where + ", expected=200; access is refused"
                        + (bearerToken.isPresent()
                                ? " to the token of HF_TOKEN"
                                : "; for a private or gated Hugging Face model set HF_TOKEN"));
            case 404, 410 -> new ModelStoreException(where + ", expected=200; there is no such file");
            case 408, 425, 429, 500, 502, 503, 504 ->
                new TryAgain("status=" + status, retryAfter(connection.getHeaderField("Retry-After")));
            default -> new ModelStoreException(where + ", expected=200");
        };
    }

    private static Duration retryAfter(@Nullable String seconds) {
        return seconds != null && seconds.matches("\\d{1,6}")
                ? Duration.ofSeconds(Long.parseLong(seconds))
                : Duration.ZERO;
    }

    private void pause(int failures, Duration atLeast) throws InterruptedIOException {
        Duration doubled = patience.firstPause.multipliedBy(1L << Math.min(failures - 1, 10));
        Duration wanted = doubled.compareTo(atLeast) > 0 ? doubled : atLeast;
        try {
            Thread.sleep(wanted.compareTo(LONGEST_PAUSE) < 0 ? wanted : LONGEST_PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted between attempts");
        }
    }

    /** Without the query, which may carry a signature. */
    private static String show(URI uri) {
        return uri.getScheme() + "://" + uri.getRawAuthority() + uri.getRawPath();
    }

    /** Another attempt may succeed. */
    private static final class TryAgain extends IOException {
        @Serial
        private static final long serialVersionUID = 1;

        private final Duration retryAfter;

        private TryAgain(String message) {
            this(message, Duration.ZERO);
        }

        private TryAgain(String message, Duration retryAfter) {
            super(message);
            this.retryAfter = retryAfter;
        }

        private TryAgain(String message, IOException cause) {
            super(message, cause);
            this.retryAfter = Duration.ZERO;
        }
    }
}
