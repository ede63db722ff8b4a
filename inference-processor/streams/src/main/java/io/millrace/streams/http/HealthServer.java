package io.millrace.streams.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.app.StartException;
import io.millrace.streams.config.HttpSettings;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code /livez}, {@code /readyz} and {@code /metrics}: 200 or 503 with JSON, and Prometheus' text format. Start it before the models are
 * loaded, so that probes hear that the process lives.
 *
 * <p>Threads: a virtual one for each request, at most {@value #MAX_REQUESTS} at once; more get 503.
 */
public final class HealthServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HealthServer.class);
    private static final int MAX_REQUESTS = 16;
    private static final int STOP_SECONDS = 1;
    private static final String JSON = "application/json; charset=utf-8";
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore places = new Semaphore(MAX_REQUESTS);
    private final Supplier<Optional<ProcessorStatus>> status;
    private final Supplier<String> metrics;

    private HealthServer(HttpServer server, Supplier<Optional<ProcessorStatus>> status, Supplier<String> metrics) {
        this.server = server;
        this.status = status;
        this.metrics = metrics;
    }

    /**
     * Listens from now on.
     *
     * @param status empty until the application has begun to start
     * @param metrics in Prometheus' text format 0.0.4
     * @throws StartException the address is in use or not this machine's
     */
    public static HealthServer start(
            HttpSettings settings, Supplier<Optional<ProcessorStatus>> status, Supplier<String> metrics) {
        boundConnections();
        HealthServer health = new HealthServer(bind(settings), status, metrics);
        health.server.setExecutor(health.threads);
        health.server.createContext("/", health::handle);
        health.server.start();
        LOG.info("health and metrics at http://{}:{}", settings.host(), health.port());
        return health;
    }

    /** The port it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    private static HttpServer bind(HttpSettings settings) {
        InetSocketAddress address = new InetSocketAddress(settings.host(), settings.port());
        if (address.isUnresolved()) {
            throw new StartException(
                    "http.host=" + settings.host() + ", expected=an address of this machine; no such host");
        }
        try {
            return HttpServer.create(address, 0);
        } catch (BindException e) {
            throw new StartException(
                    "http.port=" + settings.port() + " on http.host=" + settings.host()
                            + ", expected=a free port of this machine (" + e.getMessage()
                            + "); set another http.port, or 0 for any, or http.enabled: false",
                    e);
        } catch (IOException e) {
            throw new StartException(
                    "http.host=" + settings.host() + ", http.port=" + settings.port() + ": " + e.getMessage(), e);
        }
    }

    /** The JDK's server has no such bounds of its own; it reads them once, before the first server. */
    private static void boundConnections() {
        setIfAbsent("sun.net.httpserver.maxReqTime", "30");
        setIfAbsent("sun.net.httpserver.maxRspTime", "60");
        setIfAbsent("jdk.httpserver.maxConnections", "256");
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private void handle(HttpExchange exchange) {
        boolean admitted = places.tryAcquire();
        try (exchange) {
            Answer answer = admitted ? answer(exchange) : new Answer(503, TEXT, "too many requests at once\n");
            send(exchange, answer);
        } catch (IOException e) {
            LOG.debug("{} went away", exchange.getRemoteAddress(), e);
        } finally {
            if (admitted) {
                places.release();
            }
        }
    }

    private record Answer(int code, String type, String body) {}

    private Answer answer(HttpExchange exchange) {
        String method = exchange.getRequestMethod();
        if (!method.equals("GET") && !method.equals("HEAD")) {
            exchange.getResponseHeaders().set("Allow", "GET, HEAD");
            return new Answer(405, TEXT, "method=" + method + ", expected=GET or HEAD\n");
        }
        try {
            return answer(exchange.getRequestURI().getPath());
        } catch (RuntimeException e) {
            LOG.error("{} failed", exchange.getRequestURI(), e);
            return new Answer(500, TEXT, "failed, see the log\n");
        }
    }

    private Answer answer(String path) {
        return switch (path) {
            case "/livez" -> {
                Health health = new Health(status.get());
                yield new Answer(health.isLive() ? 200 : 503, JSON, health.live());
            }
            case "/readyz" -> {
                Health health = new Health(status.get());
                yield new Answer(health.isReady() ? 200 : 503, JSON, health.ready());
            }
            case "/metrics" -> new Answer(200, PROMETHEUS, metrics.get());
            default -> new Answer(404, TEXT, "expected=/livez, /readyz or /metrics\n");
        };
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", answer.type());
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(answer.code(), -1);
            return;
        }
        exchange.sendResponseHeaders(answer.code(), body.length);
        exchange.getResponseBody().write(body);
    }

    /** Ends requests under way, waiting a second for them at most. */
    @Override
    public void close() {
        server.stop(STOP_SECONDS);
        threads.shutdownNow();
    }
}
