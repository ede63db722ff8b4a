package io.millrace.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EchoEngineTest {

    private static final EchoOptions AT_ONCE =
            new EchoOptions("echo", Optional.of("7"), 20, 4, 10, 5, Duration.ZERO, 1e12);

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000); // nanoTime may overflow
    private EchoEngine engine = engine(AT_ONCE);

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void shouldAnswerWithThePromptsWords() {
        Completed completed = completed(text("Say  hello,\n world.", sampling -> sampling));

        assertThat(textOf(completed)).isEqualTo("Say  hello,\n world.");
        assertThat(completed.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(completed.usage()).isEqualTo(new Completion.Usage(3, 0, 3));
        assertThat(completed.model().name()).isEqualTo("echo");
        assertThat(completed.model().version()).contains("7");
        assertThat(completed.endpoint()).isEmpty();
    }

    @Test
    void shouldEndAtMaxTokensOrItsDefaultOrWhereTheContextIsFull() {
        Completed cut = completed(text("a b c", sampling -> sampling.maxTokens(2)));
        assertThat(textOf(cut)).isEqualTo("a b");
        assertThat(cut.finishReason()).isEqualTo(FinishReason.LENGTH);

        assertThat(textOf(completed(text("a b c d e f g", sampling -> sampling))))
                .isEqualTo("a b c d e");
        assertThat(completed(text("a ".repeat(18), sampling -> sampling.maxTokens(100)))
                        .usage())
                .isEqualTo(new Completion.Usage(18, 0, 2));
    }

    @Test
    void shouldRepeatItselfForMinTokensAndIgnoreEos() {
        assertThat(textOf(completed(text("a b", sampling -> sampling.minTokens(3)))))
                .isEqualTo("a b a");
        Completed endless =
                completed(text("a b", sampling -> sampling.ignoreEos(true).maxTokens(4)));
        assertThat(textOf(endless)).isEqualTo("a b a b");
        assertThat(endless.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void shouldEndBeforeAStopString() {
        Completed completed = completed(text("a b END c", sampling -> sampling.stop(List.of("c", "END"))));
        assertThat(textOf(completed)).isEqualTo("a b");
        assertThat(completed.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(textOf(completed(text("a b", sampling -> sampling.stop(List.of("a"))))))
                .isEmpty();
    }

    @Test
    void shouldAnswerTheLastTurnOfAConversationAndTokenIdsAsNumbers() {
        Completed chat = completed(request(
                Operation.CHAT,
                new Input.Conversation(
                        List.of(new Input.Message("system", "be brief"), new Input.Message("user", "hello you"))),
                SamplingParameters.DEFAULT));
        assertThat(textOf(chat)).isEqualTo("hello you");
        assertThat(chat.usage().promptTokens()).isEqualTo(4);
        assertThat(textOf(completed(
                        request(Operation.GENERATE, new Input.TokenIds(List.of(1, 2)), SamplingParameters.DEFAULT))))
                .isEqualTo("1 2");
    }

    @Test
    void shouldTakeTheTimeThatIsConfigured() {
        restart(new EchoOptions("echo", Optional.empty(), 20, 1, 10, 5, Duration.ofSeconds(2), 4));
        CompletableFuture<Completion> first = submit(text("a b c", sampling -> sampling));
        CompletableFuture<Completion> second = submit(text("a", sampling -> sampling));
        assertThat(engine.generatedTokens("r1")).isZero();
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(2_250));
        assertThat(engine.generatedTokens("r1")).isEqualTo(2);
        assertThat(first).isNotDone();
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(250));

        assertThat(((Completed) first.join()).timings())
                .isEqualTo(new Completion.Timings(0, 2_000_000_000, 500_000_000, 2_000_000_000, 2_500_000_000L));
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));
        assertThat(((Completed) second.join()).timings().queueNanos()).isEqualTo(2_500_000_000L);
        assertThat(engine.stats().busyNanosTotal()).isEqualTo(4_500_000_000L);
    }

    @Test
    void shouldReturnWhatItHadWhenItIsCancelled() {
        restart(new EchoOptions("echo", Optional.empty(), 20, 1, 10, 5, Duration.ZERO, 1));
        CompletableFuture<Completion> answer = submit(text("a b c", sampling -> sampling));
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        engine.cancel("r1");

        Failed failed = (Failed) answer.join();
        assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED);
        assertThat(failed.partialText()).contains("a b");
        assertThat(failed.usage()).contains(new Completion.Usage(3, 0, 2));
    }

    @Test
    void shouldSayWhatItHasNot() {
        assertFailed(
                request(Operation.EMBED, new Input.Text("a"), SamplingParameters.DEFAULT),
                "operation=embed, expected=chat or generate, for an echo");
        assertFailed(
                text("a", sampling -> sampling.responseFormat(new ResponseFormat.JsonObject())),
                "response_format=json_object, expected=text");
        assertFailed(
                text("a", sampling -> sampling.logprobs(2)), "logprobs=2, expected=none: an echo has no probabilities");
        assertFailed(text(" ", sampling -> sampling), "prompt_tokens=0, expected=at least 1: the prompt is empty");
        InferenceRequest forServer = new InferenceRequest(
                "r1",
                Operation.CHAT,
                new Input.Text("a"),
                SamplingParameters.DEFAULT,
                Optional.of("{}"),
                0,
                0,
                "",
                Optional.empty(),
                0);
        assertFailed(forServer, "extra_body={}, expected=none: this model is not on a remote server");
        assertThat(submit(text("a ".repeat(20), sampling -> sampling)).join())
                .isEqualTo(Failed.of(
                        "r5",
                        FailureCode.CONTEXT_LENGTH_EXCEEDED,
                        "prompt_tokens=20, expected=fewer than max_model_len=20"));
    }

    @Test
    void shouldRefuseOptionsOutOfRange() {
        assertThatThrownBy(() -> new EchoOptions("e", Optional.empty(), 20, 0, 1, 1, Duration.ZERO, 1))
                .hasMessage("max_num_seqs=0, expected=at least 1");
        assertThatThrownBy(() -> new EchoOptions("e", Optional.empty(), 20, 1, 1, 1, Duration.ofMillis(-1), 1))
                .hasMessage("delay=PT-0.001S, expected=0 or longer");
        assertThatThrownBy(() -> new EchoOptions("e", Optional.empty(), 20, 1, 1, 1, Duration.ZERO, 0))
                .hasMessage("tokens_per_second=0.0, expected=above 0");
    }

    private int requests;

    private InferenceRequest text(String text, UnaryOperator<SamplingParameters.Builder> sampling) {
        return request(
                Operation.GENERATE,
                new Input.Text(text),
                sampling.apply(SamplingParameters.builder()).build());
    }

    private InferenceRequest request(Operation operation, Input input, SamplingParameters sampling) {
        return new InferenceRequest(
                "r" + ++requests,
                operation,
                input,
                sampling,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                nanos.get());
    }

    private CompletableFuture<Completion> submit(InferenceRequest request) {
        CompletableFuture<Completion> completion = new CompletableFuture<>();
        assertThat(engine.submit(request, completion::complete)).isEmpty();
        return completion.orTimeout(30, TimeUnit.SECONDS);
    }

    private Completed completed(InferenceRequest request) {
        return (Completed) submit(request).join();
    }

    private void assertFailed(InferenceRequest request, String message) {
        assertThat(submit(request).join()).isEqualTo(Failed.of(request.id(), FailureCode.INVALID_REQUEST, message));
    }

    private static String textOf(Completed completed) {
        return ((Output.Text) completed.output()).text();
    }

    private EchoEngine engine(EchoOptions options) {
        EchoEngine started = new EchoEngine(options, nanos::get);
        started.start();
        return started;
    }

    private void restart(EchoOptions options) {
        engine.close();
        engine = engine(options);
    }
}
