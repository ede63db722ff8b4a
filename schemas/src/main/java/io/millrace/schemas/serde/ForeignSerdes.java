package io.millrace.schemas.serde;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Serializers of other people, by class name: Confluent's own from {@code lib/ext}, say. Nothing here is compiled against them. They get
 * the whole configuration, and {@code specific.avro.reader=true} so that Confluent's returns our records.
 */
final class ForeignSerdes {

    /** Class name of a {@link Serializer} to use in place of ours. */
    static final String SERIALIZER = "value.serializer.class";

    /** Class name of a {@link Deserializer} to use in place of ours. */
    static final String DESERIALIZER = "value.deserializer.class";

    private ForeignSerdes() {}

    static <T extends SpecificRecord> Optional<Serializer<T>> serializer(Map<String, ?> config) {
        return RegistryConfig.text(config, SERIALIZER).map(name -> {
            // a serializer of anything takes our records
            @SuppressWarnings("unchecked")
            Serializer<T> serializer = instance(SERIALIZER, name, Serializer.class);
            serializer.configure(configured(config), false);
            return new ForeignSerializer<>(serializer);
        });
    }

    static <T extends SpecificRecord> Optional<Deserializer<T>> deserializer(Class<T> type, Map<String, ?> config) {
        return RegistryConfig.text(config, DESERIALIZER).map(name -> {
            Deserializer<?> deserializer = instance(DESERIALIZER, name, Deserializer.class);
            deserializer.configure(configured(config), false);
            return new ForeignDeserializer<>(type, deserializer);
        });
    }

    private static Map<String, ?> configured(Map<String, ?> config) {
        Map<String, Object> configured = new HashMap<>(config);
        configured.put("specific.avro.reader", true);
        return configured;
    }

    private static <S> S instance(String key, String name, Class<S> type) {
        try {
            return Class.forName(name).asSubclass(type).getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException e) {
            throw new ConfigException(
                    key + "=\"" + name + "\", expected=a class on the class path; is its jar in lib/ext?");
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new ConfigException(key + "=\"" + name + "\", expected=a " + type.getSimpleName()
                    + " with a public constructor without parameters");
        }
    }
}
