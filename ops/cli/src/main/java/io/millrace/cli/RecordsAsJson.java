package io.millrace.cli;

import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.sinks.ValueToJson;
import io.millrace.streams.config.TopicSettings;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/** The configuration's topics as JSON, in whatever format they are. */
final class RecordsAsJson implements ValueToJson {

    private static final Map<String, String> AS_JSON = Map.of("value.format", "json");

    private final Map<String, ValueToJson> byTopic = new HashMap<>();

    RecordsAsJson(Map<String, ?> kafka, TopicSettings topics) {
        add(topics.prompts(), PromptRequest.class, kafka);
        add(topics.results(), InferenceResult.class, kafka);
        add(topics.failures(), InferenceFailure.class, kafka);
        add(topics.metrics(), InferenceMetrics.class, kafka);
        add(topics.engineMetrics(), EngineInterval.class, kafka);
    }

    private <T extends SpecificRecord> void add(String topic, Class<T> type, Map<String, ?> kafka) {
        Deserializer<T> reader = RecordSerdes.deserializer(type, kafka);
        Serializer<T> writer = RecordSerdes.serializer(type, AS_JSON);
        byTopic.put(
                topic,
                (record, value) ->
                        writer.serialize(topic, reader.deserialize(record.topic(), record.headers(), value)));
    }

    @Override
    public byte[] toJson(ConsumerRecord<byte[], byte[]> record, byte[] value) {
        ValueToJson converter = byTopic.get(record.topic());
        if (converter == null) {
            throw new SerializationException(
                    "topic=" + record.topic() + ", expected=one of " + String.join(", ", byTopic.keySet()));
        }
        return converter.toJson(record, value);
    }
}
