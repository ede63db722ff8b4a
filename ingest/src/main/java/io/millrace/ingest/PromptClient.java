package io.millrace.ingest;

import io.millrace.ingest.Outstanding.Waiting;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Sends prompts and brings their answers, each as a future. The whole of a program that asks three questions at once:
 *
 * {@snippet lang = java :
 * import io.millrace.ingest.Answer;
 * import io.millrace.ingest.Prompt;
 * import io.millrace.ingest.PromptClient;
 * import io.millrace.ingest.PromptClientOptions;
 * import io.millrace.ingest.PromptException;
 * import java.util.List;
 * import java.util.Map;
 * import java.util.concurrent.CompletableFuture;
 * import java.util.concurrent.CompletionException;
 *
 * void main(String[] args) {
 *     var options = PromptClientOptions.of(Map.of("bootstrap.servers", args[0]));
 *     try (PromptClient client = PromptClient.open(options)) {
 *         List<CompletableFuture<Answer>> answers = List.of("rivers", "towns", "trees").stream()
 *                 .map(things -> Prompt.chat("Name three " + things + ".").maxTokens(40).temperature(0).build())
 *                 .map(client::submit)
 *                 .toList();
 *         for (CompletableFuture<Answer> answer : answers) {
 *             try {
 *                 IO.println(answer.join().text());
 *             } catch (CompletionException e) {
 *                 switch (e.getCause()) {
 *                     case PromptException.Failed failed -> IO.println(failed.code() + ": " + failed.failure().getMessage());
 *                     case PromptException other -> IO.println(other.getMessage());
 *                     default -> throw e;
 *                 }
 *             }
 *         }
 *     }
 * }
 * }
 *
 * <p><b>What ends a future.</b> An {@link Answer}, or a {@link PromptException}. A failure record is an exception and not a kind of
 * answer: whatever else keeps an answer away (time, Kafka, closing) can only be one, so callers have one path for "no answer", and
 * {@code thenApply}, {@code allOf} and {@code join} mean what they do elsewhere. Callbacks run on virtual threads; they may submit.
 * Cancelling a future forgets the prompt; the processor goes on with it until its deadline ({@code millrace cancel} ends it).
 *
 * <p><b>No answer is missed, none is taken twice.</b> The client reads the results, failures and dead-letters topics from their ends
 * at the time of {@link #open}, only what is committed, without a consumer group: any number of clients may use the same topics,
 * each reading all of it. It tells its own answers by the header {@value #CORRELATION_HEADER}, which the processor returns; the
 * {@code request_id} may therefore be anything, even twice the same. The producer is idempotent: what is acknowledged is there once.
 * A registry that is away delays answers until it is back. An answer that a topic's retention takes away before it is read, and one
 * in a topic that is deleted, never comes: its future ends when its time is up.
 *
 * <p><b>Back-pressure.</b> At most {@link PromptClientOptions#maxOutstanding} prompts wait for answers: {@link #submit} then waits, {@link
 * #trySubmit} refuses. Beside that Kafka's {@code buffer.memory} bounds what is not yet sent; a full one holds up any of the three methods
 * that send, for at most {@code max.block.ms}. Room is free again before callbacks run, so that they may submit: what callbacks that
 * block take up is theirs to bound.
 *
 * <p><b>Time.</b> A prompt without a deadline gets the time when its sender stops waiting, so that nothing is computed for nobody;
 * the clocks of sender and processor should agree within less than that.
 *
 * <p><b>Formats</b> are those of {@code submit}: JSON, or Avro where {@code schema.registry.url} is set.
 *
 * <p>Threads: all methods may be called from any thread. One thread of the client reads, one of Kafka's sends.
 */
public final class PromptClient implements AutoCloseable {

    /** Record header by which a client knows its own answers: a UUID in text, another one for each prompt. */
    public static final String CORRELATION_HEADER = "millrace.correlation_id";

    /** What is left to do in an orderly close after the last answer. */
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

    private final PromptClientOptions options;
    private final Producer<byte[], byte[]> producer;
    private final Serializer<PromptRequest> serializer;
    private final Outstanding outstanding;
    private final AnswerMatcher matcher;
    private final AnswerReader reader;

    private PromptClient(
            PromptClientOptions options,
            Producer<byte[], byte[]> producer,
            Serializer<PromptRequest> serializer,
            Outstanding outstanding,
            AnswerMatcher matcher,
            AnswerReader reader) {
        this.options = options;
        this.producer = producer;
        this.serializer = serializer;
        this.outstanding = outstanding;
        this.matcher = matcher;
        this.reader = reader;
    }

    /**
     * Connects.
     *
     * @throws org.apache.kafka.common.errors.UnknownTopicOrPartitionException if one of the topics does not exist
     * @throws org.apache.kafka.common.errors.TimeoutException if Kafka does not answer within {@code default.api.timeout.ms}
     * @throws org.apache.kafka.common.config.ConfigException if a property is wrong
     */
    public static PromptClient open(PromptClientOptions options) {
        Map<String, Object> kafka = options.kafka();
        var topics = options.topics();
        var outstanding = new Outstanding(options.maxOutstanding());
        var matcher = new AnswerMatcher(kafka, topics, outstanding);
        Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, kafka);
        Producer<byte[], byte[]> producer = PromptSubmitter.idempotentProducer(kafka);
        try {
            List<String> read = List.of(topics.results(), topics.failures(), topics.deadLetters());
            AnswerReader reader = AnswerReader.start(kafka, read, topics.prompts(), matcher);
            return new PromptClient(options, producer, serializer, outstanding, matcher, reader);
        } catch (RuntimeException e) {
            producer.close(Duration.ZERO);
            serializer.close();
            matcher.close();
            throw e;
        }
    }

    /**
     * Sends a prompt, waiting while too many are outstanding.
     *
     * @throws IllegalStateException if the client is closed or had to stop
     * @throws org.apache.kafka.common.errors.InterruptException if the thread is interrupted; the prompt is not sent
     */
    public CompletableFuture<Answer> submit(Prompt prompt) {
        PromptRequest request = identified(prompt.request()); // what may go wrong comes before room is taken
        outstanding.awaitRoom();
        return submitInRoom(prompt, request);
    }

    /**
     * Sends a prompt, if not too many are outstanding.
     *
     * @return empty where they are, and the prompt is not sent
     * @throws IllegalStateException if the client is closed or had to stop
     */
    public Optional<CompletableFuture<Answer>> trySubmit(Prompt prompt) {
        PromptRequest request = identified(prompt.request());
        return outstanding.tryRoom() ? Optional.of(submitInRoom(prompt, request)) : Optional.empty();
    }

    /**
     * Sends a prompt whose answer somebody else reads, or nobody.
     *
     * @return where the prompt stands, once Kafka has it; fails with {@link PromptException.NotSent}
     * @throws IllegalStateException if the client is closed or had to stop
     */
    public CompletableFuture<RecordMetadata> send(Prompt prompt) {
        outstanding.requireOpen();
        PromptRequest request = identified(prompt.request());
        CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
        Callback callback = (metadata, e) -> {
            if (e == null) {
                sent.complete(metadata);
            } else {
                sent.completeExceptionally(new PromptException.NotSent(request.getRequestId(), e));
            }
        };
        produce(prompt, request, headers(prompt), callback);
        return sent;
    }

    /** How many prompts wait for their answers now. */
    public int outstanding() {
        return outstanding.count();
    }

    private CompletableFuture<Answer> submitInRoom(Prompt prompt, PromptRequest identified) {
        Duration timeout = prompt.timeout().orElse(options.timeout());
        PromptRequest request = withDeadline(identified, timeout);
        Headers headers = headers(prompt);
        String correlation = UuidV7.at(System.currentTimeMillis()).toString();
        headers.add(CORRELATION_HEADER, utf8(correlation));
        Waiting waiting = new Waiting(
                request.getRequestId(),
                new String(headers.lastHeader(Traceparent.HEADER).value(), StandardCharsets.UTF_8),
                timeout,
                System.nanoTime() + timeout.toNanos(),
                new CompletableFuture<>());
        outstanding.add(correlation, waiting); // before it is sent: the answer may be here before send returns
        produce(prompt, request, headers, (metadata, e) -> {
            if (e != null) {
                outstanding.fail(correlation, waiting, new PromptException.NotSent(waiting.requestId(), e));
            }
        });
        return waiting.future();
    }

    private void produce(Prompt prompt, PromptRequest request, Headers headers, Callback callback) {
        String topic = options.topics().prompts();
        try {
            byte[] key = utf8(prompt.key().orElse(request.getRequestId()));
            byte[] value = serializer.serialize(topic, headers, request);
            Future<RecordMetadata> _ = producer.send(new ProducerRecord<>(topic, null, key, value, headers), callback);
        } catch (RuntimeException e) {
            callback.onCompletion(null, e);
        }
    }

    private static PromptRequest identified(PromptRequest request) {
        return request.getRequestId() != null
                ? request
                : PromptRequest.newBuilder(request)
                        .setRequestId(UuidV7.at(System.currentTimeMillis()).toString())
                        .build();
    }

    private static PromptRequest withDeadline(PromptRequest request, Duration timeout) {
        return request.getDeadline() != null
                ? request
                : PromptRequest.newBuilder(request)
                        .setDeadline(Instant.now().plus(timeout))
                        .build();
    }

    private static Headers headers(Prompt prompt) {
        Headers headers = new RecordHeaders();
        prompt.headers().forEach((name, value) -> headers.add(name, utf8(value)));
        if (headers.lastHeader(Traceparent.HEADER) == null) {
            headers.add(Traceparent.HEADER, utf8(Traceparent.begin()));
        }
        return headers;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Waits until all that was submitted has ended, which timeouts bound, then closes; as the JDK's executors and its HTTP client do.
     * Interrupting the thread ends the waiting: then the other futures end at once.
     */
    @Override
    public void close() {
        close(PromptClientOptions.LONGEST_TIMEOUT);
    }

    /**
     * Takes no more prompts, waits for answers for at most this long, ends the other futures with {@link PromptException.Closed}, and
     * waits for callbacks and for what Kafka has not yet acknowledged, a few seconds at most. Prompts that were sent stay sent. To be
     * called from a callback only with a short time: it waits for that callback, too.
     */
    public void close(Duration patience) {
        outstanding.close();
        boolean interrupted = false;
        try {
            outstanding.awaitNone(patience);
            outstanding.endAll();
            reader.stop();
            reader.join(CLOSE_PATIENCE);
            outstanding.awaitCallbacks(CLOSE_PATIENCE);
        } catch (InterruptedException e) {
            interrupted = true;
            outstanding.endAll();
            reader.stop();
        }
        try {
            producer.close(interrupted ? Duration.ZERO : CLOSE_PATIENCE);
        } catch (InterruptException e) {
            interrupted = true;
        }
        serializer.close();
        matcher.close();
        if (interrupted) { // only now: a producer does not close on a thread that is interrupted
            Thread.currentThread().interrupt();
        }
    }
}
