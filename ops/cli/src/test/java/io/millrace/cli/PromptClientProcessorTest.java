package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.ingest.Answer;
import io.millrace.ingest.Prompt;
import io.millrace.ingest.PromptClient;
import io.millrace.ingest.PromptClientOptions;
import io.millrace.ingest.PromptException;
import io.millrace.schemas.FailureCode;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.TopicSettings;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The client and the processor, which share no code but the records. */
@WithKafka
class PromptClientProcessorTest {

    private static final long PATIENCE_SECONDS = 120;

    @Test
    void shouldBringWhatTheProcessorMakesOfEachPrompt(TestKafka kafka) {
        TestApp app = TestApp.create(kafka, "prompt-client", 3);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp _ = app.start(engine);
                PromptClient client = PromptClient.open(options(app, Map.of()));
                // the processor reads JSON, so what this one sends is unreadable to it
                PromptClient avro = PromptClient.open(options(app, Map.of("schema.registry.url", "mock://client")))) {
            List<CompletableFuture<Answer>> answers = IntStream.range(0, 200)
                    .mapToObj(i -> client.submit(
                            Prompt.chat("x").metadata("n", Integer.toString(i)).build()))
                    .toList();
            CompletableFuture<Answer> wrong =
                    client.submit(Prompt.chat("x").temperature(9).build());
            CompletableFuture<Answer> unreadable =
                    avro.submit(Prompt.chat("x").requestId("r-1").build());

            for (int i = 0; i < answers.size(); i++) {
                Answer answer = answers.get(i)
                        .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                        .join();
                assertThat(answer.text()).isNotNull();
                assertThat(answer.result().getMetadata()).containsEntry("n", Integer.toString(i));
            }
            assertThatThrownBy(() -> wrong.get(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            PromptException.Failed.class,
                            e -> assertThat(e.code()).isEqualTo(FailureCode.INVALID_REQUEST))
                    .hasMessageContaining("temperature=9.0, expected=0 to 2");
            assertThatThrownBy(() -> unreadable.get(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(PromptException.DeadLettered.class)
                    .hasMessageStartingWith("request_id=r-1: the processor cannot read it: ");
        }
    }

    @Test
    void shouldKnowTheTopicsThatAProcessorUsesByDefault() throws Exception {
        TopicSettings topics = MillraceConfig.defaults().topics();
        assertThat(PromptClientOptions.Topics.DEFAULT)
                .isEqualTo(new PromptClientOptions.Topics(
                        topics.prompts(), topics.results(), topics.failures(), topics.deadLetters()));
    }

    private static PromptClientOptions options(TestApp app, Map<String, ?> properties) {
        Map<String, Object> kafka = new HashMap<>(properties);
        kafka.put("bootstrap.servers", app.kafka().bootstrapServers());
        return PromptClientOptions.of(kafka)
                .withTopics(new PromptClientOptions.Topics(
                        app.prompts(),
                        app.outputs().results(),
                        app.outputs().failures(),
                        app.outputs().deadLetters()));
    }
}
