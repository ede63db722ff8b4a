package io.millrace.bench.pipeline;

import io.millrace.engine.Completion;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.intake.RequestFactory;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.OutRecord;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.PromptIdentity;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * Through a topology that calls the engine as one calls a function: one record at a time, and its stream thread waits for the
 * answer. Exactly once too, with the same records in and out. The engine never has a second sequence to batch.
 */
final class BlockingRoute implements Route {

    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration STOP = Duration.ofSeconds(10);

    private final KafkaStreams streams;
    private final KafkaRoute route;

    /**
     * Joins a group of its own, and returns when its task runs.
     *
     * @param prompts its own topic of prompts
     * @param folder for Kafka Streams' lock files
     */
    BlockingRoute(
            BenchKafka kafka,
            ProcessorSettings settings,
            String prompts,
            Path folder,
            InferenceEngine engine,
            Endings endings)
            throws InterruptedException {
        streams = new KafkaStreams(topology(settings, prompts, engine), properties(kafka, prompts, folder));
        var running = new CountDownLatch(1);
        streams.setStateListener((to, from) -> {
            if (to == KafkaStreams.State.RUNNING) {
                running.countDown();
            }
        });
        streams.start();
        if (!running.await(START.toMillis(), TimeUnit.MILLISECONDS)) {
            streams.close(STOP);
            throw new IllegalStateException("the blocking topology did not start within " + START);
        }
        route = new KafkaRoute(
                kafka, prompts, List.of(settings.outputs().results()), KafkaRoute.Contents.ENDINGS, endings);
    }

    private static Properties properties(BenchKafka kafka, String prompts, Path folder) {
        var properties = new Properties();
        properties.putAll(Map.of(
                StreamsConfig.APPLICATION_ID_CONFIG,
                prompts,
                StreamsConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.bootstrapServers(),
                StreamsConfig.STATE_DIR_CONFIG,
                folder.toString(),
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
                StreamsConfig.EXACTLY_ONCE_V2,
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
                100,
                StreamsConfig.REPLICATION_FACTOR_CONFIG,
                1));
        return properties;
    }

    private static Topology topology(ProcessorSettings settings, String prompts, InferenceEngine engine) {
        return new Topology()
                .addSource("prompts", new ByteArrayDeserializer(), new ByteArrayDeserializer(), prompts)
                .addProcessor("engine", () -> new Blocking(settings, engine), "prompts")
                .addSink(
                        Sink.RESULTS.nodeName(),
                        settings.outputs().results(),
                        new ByteArraySerializer(),
                        new ByteArraySerializer(),
                        "engine")
                .addSink(
                        Sink.METRICS.nodeName(),
                        settings.outputs().metrics(),
                        new ByteArraySerializer(),
                        new ByteArraySerializer(),
                        "engine");
    }

    @Override
    public void send(Prompt prompt) {
        route.send(prompt);
    }

    /** Leaves the group, or the next one waits until this one's session is over: three quarters of a minute. */
    @Override
    public void close() {
        streams.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                .withTimeout(STOP));
        route.close();
    }

    /** One record at a time. */
    private static final class Blocking extends ContextualProcessor<byte[], byte[], byte[], byte[]> {

        private static final long UNBOUNDED = Integer.MAX_VALUE;

        private final InferenceEngine engine;
        private final Deserializer<PromptRequest> prompts;
        private final OutcomeEncoder encoder;

        Blocking(ProcessorSettings settings, InferenceEngine engine) {
            this.engine = engine;
            prompts = RecordSerdes.deserializer(PromptRequest.class, Map.of());
            encoder = new OutcomeEncoder(
                    new OutputSerializers(
                            settings.outputs(),
                            RecordSerdes.serializer(InferenceResult.class, Map.of()),
                            RecordSerdes.serializer(InferenceFailure.class, Map.of()),
                            RecordSerdes.serializer(InferenceMetrics.class, Map.of())),
                    new SizeLimits(
                            UNBOUNDED,
                            Arrays.stream(Sink.values()).collect(Collectors.toMap(sink -> sink, sink -> UNBOUNDED))),
                    settings.instance(),
                    InstantSource.system());
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            RecordMetadata at = context().recordMetadata().orElseThrow();
            PromptRequest prompt = prompts.deserialize(at.topic(), record.headers(), record.value());
            var origin =
                    new Origin(at.topic(), at.partition(), at.offset(), record.timestamp(), record.key(), List.of(), 0);
            var answer = new CompletableFuture<Completion>();
            engine.submit(
                            RequestFactory.request(
                                    origin.id(), prompt, SamplingParameters.DEFAULT, at.offset(), System.nanoTime()),
                            answer::complete)
                    .ifPresent(no -> answer.completeExceptionally(new IllegalStateException(no.message())));
            if (!(answer.join() instanceof Completion.Completed done)) {
                throw new IllegalStateException("not answered: " + answer.join());
            }
            var identity = new PromptIdentity(
                    String.valueOf(prompt.getRequestId()),
                    engine.model().name(),
                    prompt.getOperation(),
                    null,
                    null,
                    Map.of());
            for (OutRecord out : encoder.completed(origin, identity, done).records()) {
                context()
                        .forward(
                                new Record<>(record.key(), out.value(), record.timestamp()),
                                out.sink().nodeName());
            }
        }
    }
}
