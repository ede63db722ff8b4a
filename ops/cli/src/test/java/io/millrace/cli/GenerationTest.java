package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Operation;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class GenerationTest {

    private final List<Long> answered = new ArrayList<>();
    private final List<String> noted = new ArrayList<>();

    @Test
    void shouldAnswerInTheOrderOfTheQuestions() throws InterruptedException {
        var engine = new Backwards(3);
        var generation = new Generation(engine, (line, completion) -> answered.add(line), noted::add);

        generation.ask(1, request(1));
        generation.answered(2, Failed.of("2", FailureCode.INVALID_REQUEST, "bad line"));
        generation.ask(3, request(3));
        generation.ask(4, request(4));
        generation.finish();

        assertThat(answered).containsExactly(1L, 2L, 3L, 4L);
    }

    @Test
    void shouldWaitForAnswersWhileTheEngineIsFull() throws InterruptedException {
        var engine = new Backwards(2);
        var generation = new Generation(engine, (line, completion) -> answered.add(line), noted::add);

        for (int line = 1; line <= 6; line++) {
            generation.ask(line, request(line));
        }
        generation.finish();

        assertThat(answered).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        assertThat(engine.rejections).isPositive();
    }

    @Test
    void shouldWaitForAServerThatIsAwayAndSayWhyOnce() throws InterruptedException {
        var engine = new Backwards(1);
        engine.away = 21;
        var generation = new Generation(engine, (line, completion) -> answered.add(line), noted::add);

        generation.ask(4, request(4));
        generation.finish();

        assertThat(answered).containsExactly(4L);
        assertThat(noted).containsExactly("the server is away");
    }

    private static InferenceRequest request(long line) {
        return new InferenceRequest(
                Long.toString(line),
                Operation.GENERATE,
                new Input.Text("x"),
                SamplingParameters.GREEDY,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                0);
    }

    /** Takes so many requests and then answers them all, the newest first. */
    private static final class Backwards implements InferenceEngine {

        private record Held(InferenceRequest request, Consumer<? super Completion> callback) {}

        private final int capacity;
        private final Deque<Held> held = new ArrayDeque<>();
        private int rejections;

        /** So many requests are refused first. */
        private int away;

        Backwards(int capacity) {
            this.capacity = capacity;
        }

        @Override
        public ModelInfo model() {
            return new ModelInfo("fake", Optional.empty(), Optional.empty(), 100);
        }

        @Override
        public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
            if (away-- > 0) {
                return Optional.of(new Rejection(Rejection.Reason.UNAVAILABLE, "the server is away"));
            }
            if (held.size() == capacity) {
                rejections++;
                answerAll();
                return Optional.of(new Rejection(Rejection.Reason.QUEUE_FULL, "full"));
            }
            held.addFirst(new Held(request, onCompletion));
            if (held.size() == capacity && request.id().compareTo("4") >= 0) {
                answerAll();
            }
            return Optional.empty();
        }

        private void answerAll() {
            held.forEach(
                    each -> each.callback().accept(Failed.of(each.request().id(), FailureCode.ENGINE_ERROR, "fake")));
            held.clear();
        }

        @Override
        public void cancel(String requestId) {}

        @Override
        public EngineStats stats() {
            return new EngineStats(true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        }

        @Override
        public void close() {}
    }
}
