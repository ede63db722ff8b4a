package io.millrace.streams.records;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Makes each ending of a prompt into records that fit their topics. What does not fit becomes a failure; a failure is
 * shortened until it does.
 *
 * <p>Threads: any intake thread; no state of its own. Every method may throw what the serializers throw when a schema
 * registry does not answer; the caller tries again later.
 */
public final class OutcomeEncoder {

    /** Longest message of a failure that had to be shortened. */
    private static final int SHORT_MESSAGE_CHARS = 500;

    private final OutputSerializers serializers;
    private final SizeLimits limits;
    private final String instance;
    private final InstantSource clock;

    /** @param instance this processor instance, as metrics records name it */
    public OutcomeEncoder(OutputSerializers serializers, SizeLimits limits, String instance, InstantSource clock) {
        this.serializers = serializers;
        this.limits = limits;
        this.instance = instance;
        this.clock = clock;
    }

    /** An answer; {@code RESULT_TOO_LARGE} where it does not fit its topic. */
    public Outcome completed(Origin origin, PromptIdentity prompt, Completion.Completed done) {
        Headers headers = new RecordHeaders(origin.headers());
        byte[] value = serializers.result(headers, RecordMapper.result(origin, prompt, done));
        OutRecord result = new OutRecord(Sink.RESULTS, origin.key(), value, List.of(headers.toArray()));
        if (result.sizeBytes() > limits.of(Sink.RESULTS)) {
            return failed(origin, prompt, resultTooLarge(result, done));
        }
        OutRecord metrics = metrics(origin, prompt, done);
        return new Outcome(
                List.of(result, metrics),
                RecordMapper.finishReason(done),
                done.model().name(),
                prompt.tenant(),
                Optional.of(done.timings()),
                Optional.of(done.usage()));
    }

    private FailureReport resultTooLarge(OutRecord result, Completion.Completed done) {
        String message = "result=" + result.sizeBytes() + " bytes, expected=at most " + limits.of(Sink.RESULTS)
                + " bytes (max.message.bytes of topic " + serializers.topics().results()
                + ", or the producer's max.request.size)";
        return new FailureReport(
                FailureCode.RESULT_TOO_LARGE,
                message,
                Optional.empty(),
                Optional.of(done.usage()),
                Optional.of(done.timings()));
    }

    /** No answer, and why. */
    public Outcome failed(Origin origin, PromptIdentity prompt, FailureReport report) {
        OutRecord failure = failure(origin, prompt, report);
        for (Reduction reduction : Reduction.values()) {
            if (failure.sizeBytes() <= limits.of(Sink.FAILURES)) {
                break;
            }
            Reduced reduced = reduction.apply(origin, prompt, report);
            failure = failure(reduced.origin, reduced.prompt, reduced.report);
        }
        OutRecord metrics = metrics(origin, prompt, report);
        return new Outcome(
                List.of(failure, metrics),
                report.code().name(),
                prompt.model(),
                prompt.tenant(),
                report.timings(),
                report.usage());
    }

    /**
     * The bytes as they came, with the reason. A record that is too large even for that is reported as a failure, so
     * that its offset is accounted for.
     */
    public Outcome undecodable(Origin origin, byte @Nullable [] value, Exception cause) {
        List<Header> headers = new ArrayList<>(origin.headers());
        headers.addAll(DeadLetterHeaders.of(origin, cause));
        OutRecord bare = new OutRecord(Sink.DEAD_LETTERS, origin.key(), value, headers);
        headers.add(DeadLetterHeaders.stacktrace(cause));
        OutRecord full = new OutRecord(Sink.DEAD_LETTERS, origin.key(), value, headers);
        long limit = limits.of(Sink.DEAD_LETTERS);
        if (bare.sizeBytes() > limit) {
            String message = "record=" + bare.sizeBytes() + " bytes, expected=at most " + limit
                    + " bytes (max.message.bytes of topic "
                    + serializers.topics().deadLetters()
                    + "); it cannot be decoded either: " + cause.getMessage();
            return failed(
                    origin, PromptIdentity.unknown(origin), FailureReport.of(FailureCode.PROMPT_TOO_LARGE, message));
        }
        OutRecord record = full.sizeBytes() > limit ? bare : full;
        return new Outcome(List.of(record), Outcome.DEAD_LETTER, null, null, Optional.empty(), Optional.empty());
    }

    private OutRecord failure(Origin origin, PromptIdentity prompt, FailureReport report) {
        Headers headers = new RecordHeaders(origin.headers());
        byte[] value = serializers.failure(headers, RecordMapper.failure(origin, prompt, report, clock.instant()));
        return new OutRecord(Sink.FAILURES, origin.key(), value, List.of(headers.toArray()));
    }

    private OutRecord metrics(Origin origin, PromptIdentity prompt, Completion.Completed done) {
        OutRecord metrics = metrics(
                origin, done.model().name(), RecordMapper.metrics(origin, prompt, done, instance, clock.instant()));
        return metrics.sizeBytes() <= limits.of(Sink.METRICS)
                ? metrics
                : metrics(
                        withoutHeaders(origin),
                        done.model().name(),
                        RecordMapper.metrics(origin, bare(origin), done, instance, clock.instant()));
    }

    private OutRecord metrics(Origin origin, PromptIdentity prompt, FailureReport report) {
        OutRecord metrics = metrics(
                origin, prompt.model(), RecordMapper.metrics(origin, prompt, report, instance, clock.instant()));
        return metrics.sizeBytes() <= limits.of(Sink.METRICS)
                ? metrics
                : metrics(
                        withoutHeaders(origin),
                        null,
                        RecordMapper.metrics(origin, bare(origin), report, instance, clock.instant()));
    }

    private OutRecord metrics(Origin origin, @Nullable String model, io.millrace.schemas.InferenceMetrics record) {
        Headers headers = new RecordHeaders(origin.headers());
        byte[] value = serializers.metrics(headers, record);
        return new OutRecord(Sink.METRICS, RecordMapper.utf8(model), value, List.of(headers.toArray()));
    }

    private static PromptIdentity bare(Origin origin) {
        return PromptIdentity.unknown(origin);
    }

    private static Origin withoutHeaders(Origin origin) {
        return with(origin, origin.key(), List.of());
    }

    private static Origin with(Origin origin, byte @Nullable [] key, List<Header> headers) {
        return new Origin(
                origin.topic(),
                origin.partition(),
                origin.offset(),
                origin.timestampMs(),
                key,
                headers,
                origin.recoveries());
    }

    private record Reduced(Origin origin, PromptIdentity prompt, FailureReport report) {}

    /** What a failure gives up to fit, the least needed first. */
    private enum Reduction {
        PARTIAL_TEXT {
            @Override
            Reduced apply(Origin origin, PromptIdentity prompt, FailureReport report) {
                return new Reduced(origin, prompt, shortened(report));
            }
        },
        METADATA {
            @Override
            Reduced apply(Origin origin, PromptIdentity prompt, FailureReport report) {
                PromptIdentity reduced = new PromptIdentity(
                        prompt.requestId(),
                        prompt.model(),
                        prompt.operation(),
                        prompt.tenant(),
                        prompt.jobId(),
                        Map.of());
                return new Reduced(origin, reduced, shortened(report));
            }
        },
        HEADERS {
            @Override
            Reduced apply(Origin origin, PromptIdentity prompt, FailureReport report) {
                Reduced reduced = METADATA.apply(origin, prompt, report);
                List<Header> kept = KeptHeaders.of(origin.headers());
                return new Reduced(with(origin, origin.key(), kept), reduced.prompt, reduced.report);
            }
        },
        ALL_BUT_THE_SOURCE {
            @Override
            Reduced apply(Origin origin, PromptIdentity prompt, FailureReport report) {
                return new Reduced(with(origin, null, List.of()), bare(origin), shortened(report));
            }
        };

        abstract Reduced apply(Origin origin, PromptIdentity prompt, FailureReport report);

        private static FailureReport shortened(FailureReport report) {
            return new FailureReport(
                    report.code(),
                    DeadLetterHeaders.shorten(report.message(), SHORT_MESSAGE_CHARS),
                    Optional.empty(),
                    report.usage(),
                    report.timings());
        }
    }
}
