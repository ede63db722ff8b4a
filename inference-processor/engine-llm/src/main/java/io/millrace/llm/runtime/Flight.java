package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.BatchShare;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Completion.Timings;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Output;
import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One accepted request on its way: its sequence, its answer so far, what it took.
 *
 * <p>Threads: the engine thread owns it from {@link Inbox#drain} on.
 */
final class Flight {

    private final Inbox.Ticket ticket;
    private final Admission.Accepted admitted;
    private final Consumer<? super Completion> onCompletion;
    private final Sequence sequence;
    private final AnswerText answer;
    private final List<PositionLogprobs> logprobs = new ArrayList<>();

    private boolean endedByToken;
    private int promptComputed;
    private int steps;
    private long stepSequences;
    private long stepTokens;
    private long firstStepNanos; // meaningful once steps > 0
    private long firstTokenNanos; // meaningful once a token was drawn
    private long lastTokenNanos;

    Flight(Inbox.Arrival arrival, Admission.Accepted admitted, Sequence sequence) {
        this.ticket = arrival.ticket();
        this.admitted = admitted;
        this.onCompletion = arrival.onCompletion();
        this.sequence = sequence;
        this.answer = new AnswerText(admitted.request().sampling().stop());
    }

    Inbox.Ticket ticket() {
        return ticket;
    }

    int priority() {
        return ticket.priority(request().priority());
    }

    InferenceRequest request() {
        return admitted.request();
    }

    Sequence sequence() {
        return sequence;
    }

    Deadline deadline() {
        return admitted.deadline();
    }

    Consumer<? super Completion> onCompletion() {
        return onCompletion;
    }

    /**
     * How to draw the token at a position.
     *
     * @param withoutEnd mask of all tokens but those that end an answer
     */
    SampleRequest sampleRequest(int position, long[] withoutEnd) {
        SamplingParameters sampling = request().sampling();
        boolean mayEnd = position - sequence.promptCount() >= sampling.minTokens();
        int[] history = sampling.repetitionPenalty() == 1
                ? new int[0]
                : sequence.tokens(0, Math.min(position, sequence.known()));
        return new SampleRequest(
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                sampling.repetitionPenalty(),
                history,
                sampling.seed().orElse(request().seed()),
                position,
                mayEnd ? Optional.empty() : Optional.of(withoutEnd),
                sampling.logprobs());
    }

    /**
     * Notes a step that worked on this.
     *
     * @return prompt tokens computed for the first time
     */
    int worked(BatchPlan plan, BatchPlan.Item item, long launchedNanos) {
        if (steps == 0) {
            firstStepNanos = launchedNanos;
        }
        steps++;
        stepSequences += plan.items().size();
        stepTokens += plan.tokenCount();
        int before = promptComputed;
        promptComputed = Math.max(before, Math.min(item.end(), sequence.promptCount()));
        return promptComputed - before;
    }

    /**
     * Adds a drawn token.
     *
     * @return why the answer ends with it, if it does
     */
    Optional<FinishReason> drawn(SampledToken token, PromptCodec codec, long nowNanos) {
        if (sequence.answerCount() == 0) {
            firstTokenNanos = nowNanos;
        }
        lastTokenNanos = nowNanos;
        sequence.append(token.id());
        ticket.generated(sequence.answerCount());
        token.logprobs().ifPresent(logprobs::add);
        SamplingParameters sampling = request().sampling();
        if (!sampling.ignoreEos() && codec.endsAnswer(token.id())) {
            endedByToken = true;
            return Optional.of(FinishReason.STOP);
        }
        byte[] bytes = codec.textBytes(token.id());
        if (sequence.answerCount() < sampling.minTokens()) {
            answer.append(bytes);
        } else if (answer.appendUntilStop(bytes)) {
            return Optional.of(FinishReason.STOP);
        }
        return sequence.atMaxLength() ? Optional.of(FinishReason.LENGTH) : Optional.empty();
    }

    Completion completed(ModelInfo model, FinishReason reason, long nowNanos) {
        answer.end();
        int promptCount = sequence.promptCount();
        Output output = new Output.Text(
                answer.text(),
                boxed(sequence.tokens(0, promptCount)),
                boxed(sequence.tokens(promptCount, sequence.known())),
                logprobs);
        BatchShare share = new BatchShare(
                steps, (double) stepSequences / steps, (double) stepTokens / steps, sequence.preemptions());
        return new Completion.Completed(
                request().id(), model, Optional.empty(), output, reason, usage(), timings(nowNanos), share);
    }

    Completion failed(FailureCode code, String message, long nowNanos) {
        answer.end();
        boolean begun = sequence.answerCount() > 0;
        return new Completion.Failed(
                request().id(),
                code,
                message,
                begun ? Optional.of(answer.text()) : Optional.empty(),
                Optional.of(usage()),
                begun ? Optional.of(timings(nowNanos)) : Optional.empty());
    }

    private Usage usage() {
        int cached = 0; // there is no prefix cache
        return new Usage(sequence.promptCount(), cached, sequence.answerCount() - (endedByToken ? 1 : 0));
    }

    private Timings timings(long nowNanos) {
        long admittedNanos = request().admittedNanos();
        return new Timings(
                firstStepNanos - admittedNanos,
                firstTokenNanos - firstStepNanos,
                lastTokenNanos - firstTokenNanos,
                firstTokenNanos - admittedNanos,
                nowNanos - admittedNanos);
    }

    private static List<Integer> boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }
}
