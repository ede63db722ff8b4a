package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.SchemaRegistryServer;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.TestRegistry;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.WithRegistry;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.testing.RegistryStub;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The registry goes away while the application runs, and returns. */
@WithKafka
class RegistryDownTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    @MatrixRow("registry down for a minute")
    void shouldWaitForTheRegistryAndDeadLetterNothing(TestKafka kafka) throws Exception {
        try (RegistryStub registry = RegistryStub.start()) {
            TestApp test = TestApp.create(kafka, "registry-down", 2).with("schema.registry.url", registry.url());
            AvroPrompts prompts = new AvroPrompts(test, registry.url());
            int unknownYet = registry.registerAgain(prompts.schemaId());
            try (TestEngine engine = TestEngine.immediate();
                    ProcessorApp app = test.start(engine)) {
                kafka.produce(List.of(prompts.record(0, "before"), prompts.record(1, "before")));
                await().atMost(TIMEOUT).until(() -> test.endings() == 2);

                registry.stop();
                kafka.produce(List.of(prompts.record(0, "known schema")));
                await("known schemas are cached").atMost(TIMEOUT).until(() -> test.endings() == 3);

                kafka.produce(List.of(prompts.record(0, "unknown", unknownYet)));
                await("the gate is closed")
                        .atMost(TIMEOUT)
                        .until(() -> app.status()
                                .closures()
                                .equals(Set.of(new Closure(Closure.Reason.REGISTRY, "prompts"))));
                kafka.produce(List.of(prompts.record(0, "behind it"), prompts.record(1, "behind it", unknownYet)));
                assertThat(app.status().isReady()).isFalse();
                assertThat(app.status().isLive()).as("a restart would not help").isTrue();
                assertThat(test.endings()).isEqualTo(3);

                registry.restart();
                await("all is answered").atMost(TIMEOUT).until(() -> test.endings() == 6);
                assertThat(app.status().closures()).isEmpty();
                assertThat(app.close(TIMEOUT)).isTrue();
            }
            Verdict verdict =
                    test.oracle(Map.of("schema.registry.url", registry.url())).check();
            verdict.assertExactlyOnce();
            assertThat(verdict.results()).hasSize(6);
            assertThat(verdict.deadLetters()).isZero();
        }
    }

    /** The same with a registry as people run it, killed and started again on its port. */
    @Test
    @WithRegistry
    void shouldWaitForARealRegistryToo(TestKafka kafka, @TempDir Path folder) throws Exception {
        try (var first = SchemaRegistryServer.start(TestRegistry.distribution(), folder, OptionalInt.empty())) {
            String url = first.url();
            TestApp test = TestApp.create(kafka, "real-registry-down", 2).with("schema.registry.url", url);
            AvroPrompts prompts = new AvroPrompts(test, url);
            int unknownYet = registerCopy(url, prompts.schemaId());
            try (TestEngine engine = TestEngine.immediate();
                    ProcessorApp app = test.start(engine)) {
                kafka.produce(List.of(prompts.record(0, "before"), prompts.record(1, "before")));
                await().atMost(TIMEOUT).until(() -> test.endings() == 2);

                first.kill();
                kafka.produce(List.of(prompts.record(0, "unknown", unknownYet), prompts.record(1, "known")));
                await("the gate is closed")
                        .atMost(TIMEOUT)
                        .until(() -> !app.status().closures().isEmpty());

                int port = URI.create(url).getPort();
                try (var _ = SchemaRegistryServer.start(TestRegistry.distribution(), folder, OptionalInt.of(port))) {
                    await("all is answered").atMost(TIMEOUT).until(() -> test.endings() == 4);
                    assertThat(app.status().closures()).isEmpty();
                    assertThat(app.close(TIMEOUT)).isTrue();
                    Verdict verdict =
                            test.oracle(Map.of("schema.registry.url", url)).check();
                    verdict.assertExactlyOnce();
                    assertThat(verdict.results()).hasSize(4);
                    assertThat(verdict.deadLetters()).isZero();
                }
            }
        }
    }

    /** The schema of that id with another text about it: a schema of its own, which writes the same bytes. */
    private static int registerCopy(String url, int id) throws Exception {
        ObjectMapper json = new ObjectMapper();
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest get = HttpRequest.newBuilder(URI.create(url + "/schemas/ids/" + id))
                    .build();
            String schema = json.readTree(
                            http.send(get, HttpResponse.BodyHandlers.ofString()).body())
                    .path("schema")
                    .asText()
                    .replace("One prompt:", "A prompt:");
            HttpRequest post = HttpRequest.newBuilder(URI.create(url + "/subjects/copy-value/versions"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(
                            json.createObjectNode().put("schema", schema).toString()))
                    .build();
            int copy = json.readTree(http.send(post, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .path("id")
                    .asInt();
            assertThat(copy).isPositive().isNotEqualTo(id);
            return copy;
        }
    }
}
