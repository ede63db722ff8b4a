package io.millrace.streams.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.engine.Rejection;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.config.HttpSettings;
import io.millrace.streams.metrics.PrometheusMetrics;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Health and metrics of a real application on a real broker, over HTTP. */
@WithKafka
class ObservabilityTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    void shouldShowPromptsAndHealthFromStartToEnd(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "observed", 2);
        AtomicReference<Optional<ProcessorApp>> app = new AtomicReference<>(Optional.empty());
        try (TestEngine engine = TestEngine.immediate();
                PrometheusMetrics metrics = new PrometheusMetrics(List.of(TestApp.MODEL), 10);
                HealthServer http = HealthServer.start(
                        new HttpSettings(true, "127.0.0.1", 0),
                        () -> app.get().map(ProcessorApp::status),
                        metrics::scrape)) {
            assertThat(get(http, "/readyz").body()).contains("models are being loaded");

            ProcessorApp running = test.start(engine, ProcessorHooks.of(metrics));
            app.set(Optional.of(running));
            metrics.watch(running::status);
            metrics.watch(running.streams());
            await().atMost(TIMEOUT).until(() -> get(http, "/readyz").statusCode() == 200);

            test.send(List.of("a", "b", "c", "fail"));
            kafka.produce(List.of(test.record(0, "{no json")));
            await().atMost(TIMEOUT)
                    .until(() -> get(http, "/metrics").body().contains("millrace_dead_letters_total 1.0"));
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(get(http, "/metrics").body())
                            .contains("millrace_prompts_admitted_total 5.0")
                            .contains(
                                    "millrace_request_success_total{finished_reason=\"stop\",model_name=\"echo\",tenant=\"none\"} 3.0")
                            .contains(
                                    "millrace_request_failure_total{code=\"ENGINE_ERROR\",model_name=\"echo\",tenant=\"none\"} 1.0")
                            .contains("millrace_generation_tokens_total{model_name=\"echo\",tenant=\"none\"} 6.0")
                            .contains("millrace_num_requests_pending 0.0")
                            .contains("millrace_gate_open 1.0")
                            .containsPattern("millrace_commit_seconds_count [1-9]")
                            .containsPattern("\nkafka_stream_thread_[a-z_]+\\{")
                            .containsPattern("\nkafka_consumer_fetch_manager_records_lag"));

            running.close(TIMEOUT);
            assertThat(get(http, "/livez").statusCode()).isEqualTo(503);
            assertThat(get(http, "/readyz").body()).contains("CLOSED");
        }
    }

    @Test
    void shouldFailReadinessWhileTheEngineIsAway(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "away", 1);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine);
                HealthServer http = HealthServer.start(
                        new HttpSettings(true, "127.0.0.1", 0), () -> Optional.of(app.status()), () -> "")) {
            engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "away"));
            test.send(List.of("a"));

            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(get(http, "/readyz").body())
                            .contains("nothing is fetched: the engine of model echo takes no requests"));
            assertThat(get(http, "/livez").statusCode()).isEqualTo(200);

            engine.accept();
            await().atMost(TIMEOUT).until(() -> get(http, "/readyz").statusCode() == 200);
        }
    }

    private static HttpResponse<String> get(HealthServer server, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }
}
