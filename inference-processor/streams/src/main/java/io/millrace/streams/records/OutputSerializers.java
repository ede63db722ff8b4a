package io.millrace.streams.records;

import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Serializers of the outputs, each bound to its topic. They may block on a schema registry, so only intake threads call
 * them; they must be safe for use by several threads.
 */
public record OutputSerializers(
        OutputTopics topics,
        Serializer<InferenceResult> results,
        Serializer<InferenceFailure> failures,
        Serializer<InferenceMetrics> metrics) {

    byte[] result(Headers headers, InferenceResult result) {
        return results.serialize(topics.results(), headers, result);
    }

    byte[] failure(Headers headers, InferenceFailure failure) {
        return failures.serialize(topics.failures(), headers, failure);
    }

    byte[] metrics(Headers headers, InferenceMetrics record) {
        return metrics.serialize(topics.metrics(), headers, record);
    }
}
