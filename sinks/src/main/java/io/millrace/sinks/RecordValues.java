package io.millrace.sinks;

import io.millrace.schemas.serde.RecordFormat;
import io.millrace.schemas.serde.RecordSerdes;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/** Values of Millrace's topics: JSON as it is, Avro through the registry into JSON with the schema's field names. */
public final class RecordValues {
    private RecordValues() {}

    /**
     * Chooses by {@code value.format} and {@code schema.registry.url}, as all of Millrace does.
     *
     * @param types the record type of each topic that the sink reads
     * @param config Kafka's and the registry's properties
     * @throws org.apache.kafka.common.config.ConfigException if the configuration is wrong
     */
    public static ValueToJson of(Map<String, Class<? extends SpecificRecord>> types, Map<String, ?> config) {
        if (RecordFormat.of(config) == RecordFormat.JSON) {
            return ValueToJson.json();
        }
        Map<String, Avro<?>> byTopic = new HashMap<>();
        types.forEach((topic, type) -> byTopic.put(topic, avro(type, config)));
        return (record, value) -> topic(byTopic, record).toJson(record, value);
    }

    private static <T extends SpecificRecord> Avro<T> avro(Class<T> type, Map<String, ?> config) {
        return new Avro<>(
                RecordSerdes.deserializer(type, config),
                RecordSerdes.serializer(type, Map.of(RecordFormat.VALUE_FORMAT, "json")));
    }

    private static Avro<?> topic(Map<String, Avro<?>> byTopic, ConsumerRecord<byte[], byte[]> record) {
        Avro<?> avro = byTopic.get(record.topic());
        if (avro == null) {
            throw new IllegalArgumentException("topic=" + record.topic() + ", expected=one of " + byTopic.keySet());
        }
        return avro;
    }

    private record Avro<T>(Deserializer<T> deserializer, Serializer<T> json) implements ValueToJson {
        @Override
        public byte[] toJson(ConsumerRecord<byte[], byte[]> record, byte[] value) {
            T decoded = deserializer.deserialize(record.topic(), record.headers(), value);
            if (decoded == null) {
                throw new SerializationException("value=no record, expected=Avro");
            }
            return json.serialize(record.topic(), decoded);
        }
    }
}
