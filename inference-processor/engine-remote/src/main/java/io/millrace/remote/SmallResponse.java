package io.millrace.remote;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A response that is read whole, within a size and a time: a server that sends headers and then nothing must not keep its
 * reader. The JDK's own timeout ends with the headers.
 */
record SmallResponse(int status, HttpHeaders headers, String body) {

    /** A server's metrics, or its models, take tens of kilobytes. */
    static final int MAX_BYTES = 8 << 20;

    /**
     * Sends a request and reads the answer.
     *
     * @param most time for all of it; then the connection is closed
     */
    static SmallResponse to(HttpRequest request, Connections connections, Duration most)
            throws IOException, InterruptedException {
        FutureTask<SmallResponse> task = new FutureTask<>(() -> read(connections.send(request)));
        Thread.ofVirtual().name("millrace-read-" + request.uri().getHost()).start(task);
        try {
            return task.get(most.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no whole response within " + most);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } finally {
            task.cancel(true);
        }
    }

    private static SmallResponse read(HttpResponse<InputStream> response) throws IOException {
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new IOException("response=more than " + MAX_BYTES + " bytes");
            }
            return new SmallResponse(
                    response.statusCode(), response.headers(), new String(bytes, StandardCharsets.UTF_8));
        }
    }
}
