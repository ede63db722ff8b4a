package io.millrace.streams.records;

import io.millrace.engine.Completion;
import io.millrace.engine.Output;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PositionLogprobs;
import io.millrace.schemas.Score;
import io.millrace.schemas.Timings;
import io.millrace.schemas.TokenLogprob;
import io.millrace.schemas.Usage;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Engine types to records. Pure. */
// generated builders take null for absent fields; they are not annotated
@SuppressWarnings("NullAway")
final class RecordMapper {

    private static final double NANOS_PER_MILLI = 1e6;

    private RecordMapper() {}

    static InferenceResult result(Origin origin, PromptIdentity prompt, Completion.Completed done) {
        InferenceResult.Builder result = InferenceResult.newBuilder()
                .setRequestId(prompt.requestId())
                .setModel(done.model().name())
                .setModelVersion(done.model().version().orElse(null))
                .setModelDigest(done.model().digest().orElse(null))
                .setEndpoint(done.endpoint().orElse(null))
                .setOperation(prompt.operation())
                .setFinishReason(finishReason(done))
                .setUsage(usage(done.usage()))
                .setTimings(timings(done.timings()))
                .setSource(origin.source())
                .setTenant(prompt.tenant())
                .setJobId(prompt.jobId())
                .setMetadata(prompt.metadata());
        putOutput(result, done.output());
        return result.build();
    }

    private static void putOutput(InferenceResult.Builder result, Output output) {
        switch (output) {
            case Output.Text text -> {
                result.setText(text.text());
                if (!text.logprobs().isEmpty()) {
                    result.setLogprobs(
                            text.logprobs().stream().map(RecordMapper::logprobs).toList());
                }
            }
            case Output.Embedding embedding -> result.setEmbedding(embedding.vector());
            case Output.Scores scores ->
                result.setScores(scores.scores().stream()
                        .map(score -> new Score(score.index(), score.label(), score.score()))
                        .toList());
        }
    }

    private static PositionLogprobs logprobs(Output.PositionLogprobs position) {
        List<TokenLogprob> top = position.top().stream()
                .map(token -> new TokenLogprob(token.tokenId(), token.logprob()))
                .toList();
        return new PositionLogprobs(position.tokenId(), position.logprob(), top);
    }

    static InferenceFailure failure(Origin origin, PromptIdentity prompt, FailureReport report, Instant failedAt) {
        return InferenceFailure.newBuilder()
                .setRequestId(prompt.requestId())
                .setModel(prompt.model())
                .setCode(io.millrace.schemas.FailureCode.valueOf(report.code().name()))
                .setMessage(report.message())
                .setRetriable(report.retriable())
                .setPartialText(report.partialText().orElse(null))
                .setUsage(report.usage().map(RecordMapper::usage).orElse(null))
                .setFailedAt(failedAt)
                .setSource(origin.source())
                .setTenant(prompt.tenant())
                .setJobId(prompt.jobId())
                .setMetadata(prompt.metadata())
                .build();
    }

    static InferenceMetrics metrics(
            Origin origin, PromptIdentity prompt, Completion.Completed done, String instance, Instant completedAt) {
        Completion.BatchShare batch = done.batch();
        return metrics(origin, prompt, instance, completedAt)
                .setModel(done.model().name())
                .setOutcome(finishReason(done))
                .setUsage(usage(done.usage()))
                .setTimings(timings(done.timings()))
                .setSteps(batch.steps())
                .setBatchSizeMean(batch.meanSequences())
                .setBatchTokensMean(batch.meanTokens())
                .setPreemptions(batch.preemptions())
                .build();
    }

    static InferenceMetrics metrics(
            Origin origin, PromptIdentity prompt, FailureReport report, String instance, Instant completedAt) {
        return metrics(origin, prompt, instance, completedAt)
                .setOutcome(report.code().name())
                .setUsage(report.usage().map(RecordMapper::usage).orElse(null))
                .setTimings(report.timings().map(RecordMapper::timings).orElse(null))
                .build();
    }

    private static InferenceMetrics.Builder metrics(
            Origin origin, PromptIdentity prompt, String instance, Instant completedAt) {
        return InferenceMetrics.newBuilder()
                .setRequestId(prompt.requestId())
                .setModel(prompt.model())
                .setInstance(instance)
                .setRecoveries(origin.recoveries())
                .setCompletedAt(completedAt)
                .setSource(origin.source())
                .setTenant(prompt.tenant())
                .setJobId(prompt.jobId());
    }

    static String finishReason(Completion.Completed done) {
        return done.finishReason().name().toLowerCase(Locale.ROOT);
    }

    private static Usage usage(Completion.Usage usage) {
        return new Usage(usage.promptTokens(), usage.cachedPromptTokens(), usage.completionTokens());
    }

    private static Timings timings(Completion.Timings timings) {
        return new Timings(
                timings.queueNanos() / NANOS_PER_MILLI,
                timings.prefillNanos() / NANOS_PER_MILLI,
                timings.decodeNanos() / NANOS_PER_MILLI,
                timings.timeToFirstTokenNanos() / NANOS_PER_MILLI,
                timings.totalNanos() / NANOS_PER_MILLI);
    }

    /** UTF-8 of a key, where there is one. */
    static byte @Nullable [] utf8(@Nullable String text) {
        return text == null ? null : text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
