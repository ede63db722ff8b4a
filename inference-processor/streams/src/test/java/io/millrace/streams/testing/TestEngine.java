package io.millrace.streams.testing;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * An engine without a model: answers with the prompt's own text, after a delay or when it is told to. The prompt says
 * what else it wants, so that forked workers can be told too:
 *
 * <pre>
 *  big:N    an answer of N characters
 *  fail     ENGINE_ERROR
 *  throw    submit throws
 *  halt     the process is gone
 * </pre>
 *
 * <p>Threads: all methods from any thread. Answers come on a thread of its own, or inside {@code submit} where the delay
 * is zero.
 */
public final class TestEngine implements InferenceEngine {

    private static final ModelInfo MODEL = new ModelInfo("echo", Optional.of("1"), Optional.of("sha256:00"), 1024);

    private final Supplier<Duration> delays;
    private final int capacity;
    private final Map<String, Held> running = new ConcurrentHashMap<>();
    private final List<InferenceRequest> submitted = new CopyOnWriteArrayList<>();
    private final List<String> cancelled = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> priorities = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "test-engine");
        thread.setDaemon(true);
        return thread;
    });
    private volatile Predicate<String> holds = text -> false;
    private volatile Optional<Rejection> refusal = Optional.empty();
    private volatile boolean healthy = true;
    private volatile boolean completesTwice;
    private final AtomicLong answered = new AtomicLong();

    private record Held(InferenceRequest request, Consumer<? super Completion> onCompletion) {}

    private TestEngine(Duration delay, int capacity) {
        this(() -> delay, capacity);
    }

    private TestEngine(Supplier<Duration> delays, int capacity) {
        this.delays = delays;
        this.capacity = capacity;
    }

    /** Answers inside {@code submit}. */
    public static TestEngine immediate() {
        return new TestEngine(Duration.ZERO, Integer.MAX_VALUE);
    }

    /** Answers after a delay. */
    public static TestEngine delayed(Duration delay) {
        return new TestEngine(delay, Integer.MAX_VALUE);
    }

    /** Answers after random delays of at most this, in whatever order comes of it. */
    public static TestEngine shuffled(Duration longest, long seed) {
        Random random = new Random(seed);
        return new TestEngine(() -> Duration.ofNanos(1 + random.nextLong(longest.toNanos())), Integer.MAX_VALUE);
    }

    /** Answers after a delay, and takes only so many at a time. */
    public static TestEngine delayed(Duration delay, int capacity) {
        return new TestEngine(delay, capacity);
    }

    /** Requests with such a text are not answered until {@link #release}. */
    public TestEngine holding(Predicate<String> texts) {
        holds = texts;
        return this;
    }

    /** Answers what is held and holds no more. */
    public void release() {
        holds = text -> false;
        for (Held held : List.copyOf(running.values())) {
            answer(held);
        }
    }

    /** Answers what is held now, and holds on. */
    public void releaseHeld() {
        for (Held held : List.copyOf(running.values())) {
            answer(held);
        }
    }

    /** Breaks the SPI's promise: each completion comes twice. */
    public TestEngine completingTwice() {
        completesTwice = true;
        return this;
    }

    /** From now on requests are refused. */
    public void refuse(Rejection rejection) {
        refusal = Optional.of(rejection);
    }

    /** From now on requests are taken. */
    public void accept() {
        refusal = Optional.empty();
    }

    /** What statistics say. */
    public void setHealthy(boolean healthy) {
        this.healthy = healthy;
    }

    /** All requests taken so far. */
    public List<InferenceRequest> submitted() {
        return submitted;
    }

    /** All ids that were cancelled. */
    public List<String> cancelled() {
        return cancelled;
    }

    /** Priorities of the requests taken and not answered. */
    public Map<String, Integer> priorities() {
        return priorities;
    }

    /** Requests taken and not answered. */
    public int running() {
        return running.size();
    }

    /** Text of a request. */
    public static String text(InferenceRequest request) {
        return switch (request.input()) {
            case Input.Text text -> text.text();
            case Input.Conversation conversation ->
                conversation.messages().getLast().content();
            case Input.TokenIds ids -> ids.ids().toString();
        };
    }

    @Override
    public ModelInfo model() {
        return MODEL;
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        if (refusal.isPresent()) {
            return refusal;
        }
        if (running.size() >= capacity) {
            return Optional.of(new Rejection(Rejection.Reason.QUEUE_FULL, "running=" + running.size()));
        }
        String text = text(request);
        if (text.equals("throw")) {
            throw new IllegalStateException("told to throw");
        }
        if (text.equals("halt")) {
            Runtime.getRuntime().halt(13);
        }
        submitted.add(request);
        Held held = new Held(request, onCompletion);
        if (running.putIfAbsent(request.id(), held) != null) {
            throw new IllegalArgumentException("id=" + request.id() + ", expected=one that is not in flight");
        }
        priorities.put(request.id(), request.priority());
        if (!holds.test(text)) {
            Duration delay = delays.get();
            if (delay.isZero()) {
                answer(held);
            } else {
                var _ = timer.schedule(() -> answer(held), delay.toNanos(), TimeUnit.NANOSECONDS);
            }
        }
        return Optional.empty();
    }

    private void answer(Held held) {
        if (running.remove(held.request.id(), held)) {
            answered.incrementAndGet();
            priorities.remove(held.request.id());
            held.onCompletion.accept(completion(held.request));
            if (completesTwice) {
                held.onCompletion.accept(completion(held.request));
            }
        }
    }

    private static Completion completion(InferenceRequest request) {
        String text = text(request);
        if (text.equals("fail")) {
            return Completion.Failed.of(request.id(), FailureCode.ENGINE_ERROR, "told to fail");
        }
        String answer = text.startsWith("big:") ? "x".repeat(Integer.parseInt(text.substring(4))) : text;
        return new Completion.Completed(
                request.id(),
                MODEL,
                Optional.of("here"),
                new Output.Text(answer, List.of(), new ArrayList<>(), List.of()),
                Completion.FinishReason.STOP,
                new Completion.Usage(3, 1, 2),
                new Completion.Timings(1_000_000, 2_000_000, 3_000_000, 3_000_000, 6_000_000),
                new Completion.BatchShare(4, 1.5, 2.5, 0));
    }

    @Override
    public void cancel(String requestId) {
        cancelled.add(requestId);
        Held held = running.remove(requestId);
        priorities.remove(requestId);
        if (held != null) {
            held.onCompletion.accept(new Completion.Failed(
                    requestId,
                    FailureCode.CANCELLED,
                    "cancelled",
                    Optional.of("so far"),
                    Optional.empty(),
                    Optional.empty()));
        }
    }

    @Override
    public void setPriority(String requestId, int priority) {
        priorities.computeIfPresent(requestId, (id, before) -> priority);
    }

    /** As many as the text has characters. */
    @Override
    public int generatedTokens(String requestId) {
        Held held = running.get(requestId);
        return held == null ? 0 : text(held.request).length();
    }

    @Override
    public EngineStats stats() {
        return new EngineStats(healthy, running.size(), 0, 0, 0, 0, answered.get(), 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        running.clear();
        timer.shutdownNow();
    }
}
