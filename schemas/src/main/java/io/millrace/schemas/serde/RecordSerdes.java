package io.millrace.schemas.serde;

import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Makes the serializers of record values, ready for use: they need no {@code configure}. The configuration is Kafka's and the registry's
 * properties in one map; {@link RecordFormat#of} says which format it asks for. They are safe for many threads. {@code
 * value.serializer.class} and {@code value.deserializer.class} name somebody else's to use in their place, Confluent's own for example.
 *
 * <p>Reading throws {@link org.apache.kafka.common.errors.SerializationException} for bytes that no retry will make readable, {@link
 * InvalidFieldException} for JSON whose fields are wrong, and {@link RegistryUnavailableException} where a later try may succeed.
 */
public final class RecordSerdes {

    private RecordSerdes() {}

    /**
     * A serializer of values.
     *
     * @throws ConfigException if the configuration is wrong
     */
    public static <T extends SpecificRecord> Serializer<T> serializer(Class<T> type, Map<String, ?> config) {
        Optional<Serializer<T>> foreign = ForeignSerdes.serializer(config);
        if (foreign.isPresent()) {
            return foreign.get();
        }
        return switch (RecordFormat.of(config)) {
            case JSON -> new JsonRecordSerializer<>();
            case AVRO -> avroSerializer(type, RegistryConfig.of(config));
        };
    }

    /**
     * A deserializer of values.
     *
     * @throws ConfigException if the configuration is wrong
     */
    public static <T extends SpecificRecord> Deserializer<T> deserializer(Class<T> type, Map<String, ?> config) {
        Optional<Deserializer<T>> foreign = ForeignSerdes.deserializer(type, config);
        if (foreign.isPresent()) {
            return foreign.get();
        }
        return switch (RecordFormat.of(config)) {
            case JSON -> new JsonRecordDeserializer<>(type);
            case AVRO -> new AvroRecordDeserializer<>(type, SchemaRegistry.open(RegistryConfig.of(config)));
        };
    }

    /**
     * Both in one.
     *
     * @throws ConfigException if the configuration is wrong
     */
    public static <T extends SpecificRecord> Serde<T> serde(Class<T> type, Map<String, ?> config) {
        return Serdes.serdeFrom(serializer(type, config), deserializer(type, config));
    }

    /**
     * Refuses a registry that other processes cannot see: what is written with a {@code mock://} scope can be read within this JVM
     * only.
     *
     * @throws ConfigException if the configuration names one
     */
    public static void requireSharedRegistry(Map<String, ?> config) {
        RegistryConfig.text(config, RegistryConfig.URL)
                .filter(RegistryConfig::isMock)
                .ifPresent(url -> {
                    throw new ConfigException(RegistryConfig.URL + "=\"" + url
                            + "\", expected=a registry that other processes reach, or none (records are then JSON)");
                });
    }

    /**
     * Asks the registry for a subject, and changes nothing.
     *
     * @return whether it has that subject
     * @throws RegistryUnavailableException if none of its URLs answers, or what answers is no registry or refuses these credentials
     * @throws ConfigException if the configuration is wrong
     */
    public static boolean askRegistry(Map<String, ?> config, String subject) {
        SchemaRegistry registry = SchemaRegistry.open(RegistryConfig.of(config));
        try {
            registry.latest(subject);
            return true;
        } catch (RegistryUnavailableException e) {
            throw e;
        } catch (SerializationException e) {
            return false; // it has answered
        } finally {
            registry.close();
        }
    }

    private static <T extends SpecificRecord> Serializer<T> avroSerializer(Class<T> type, RegistryConfig config) {
        return new AvroRecordSerializer<>(type, config, SchemaRegistry.open(config));
    }
}
