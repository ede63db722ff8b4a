package io.millrace.remote;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;

/**
 * Connections that are used again, and new ones where those have gone stale. Servers close what was idle for some seconds, sooner
 * than the JDK's client does, which then sends into a closed connection; of a whole pool that is stale each request would fail
 * several times.
 *
 * <p>Threads: any. The monitor guards the swap; requests that are under way keep the client they began with.
 */
final class Connections implements AutoCloseable {

    private final Supplier<HttpClient> maker;
    private HttpClient current;
    private boolean closed;

    Connections(Supplier<HttpClient> maker) {
        this.maker = maker;
        this.current = maker.get();
    }

    synchronized HttpClient client() {
        return current;
    }

    /** Sends, and once more over a new connection where one ended before a response began. */
    HttpResponse<InputStream> send(HttpRequest request) throws IOException, InterruptedException {
        HttpClient used = client();
        try {
            return used.send(request, BodyHandlers.ofInputStream());
        } catch (ConnectException | HttpTimeoutException | SSLException e) {
            throw e; // no connection was there
        } catch (IOException e) {
            return without(used, e).send(request, BodyHandlers.ofInputStream());
        }
    }

    /** A client without the connections of this one; those that fail together get the same. */
    @SuppressWarnings("ReferenceEquality") // it is asked about this very one
    private synchronized HttpClient without(HttpClient stale, IOException cause) throws IOException {
        if (closed) {
            throw cause;
        }
        if (current == stale) {
            current = maker.get();
            stale.shutdown();
        }
        return current;
    }

    @Override
    public synchronized void close() {
        closed = true;
        current.shutdownNow();
    }
}
