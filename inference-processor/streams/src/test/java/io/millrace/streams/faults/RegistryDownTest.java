package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.testing.RegistryStub;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

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
}
