package io.millrace.schemas.serde;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.PromptRequest;
import java.io.EOFException;
import java.net.ConnectException;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignSerdesTest {

    /** Shaped like Confluent's: no-argument constructor, configured, objects in and out. */
    public static final class Mirror implements Serializer<Object>, Deserializer<Object> {
        private Map<String, ?> config = Map.of();

        @Override
        public void configure(Map<String, ?> given, boolean isKey) {
            assertThat(isKey).isFalse();
            config = given;
        }

        @Override
        public byte[] serialize(String topic, Object record) {
            assertThat(config.get("schema.registry.url")).isEqualTo("http://localhost:1");
            return requireNonNull(new JsonRecordSerializer<PromptRequest>().serialize(topic, (PromptRequest) record));
        }

        @Override
        public Object deserialize(String topic, byte[] bytes) {
            assertThat(config.get("specific.avro.reader")).isEqualTo(true);
            return bytes.length == 0
                    ? "text"
                    : requireNonNull(new JsonRecordDeserializer<>(PromptRequest.class).deserialize(topic, bytes));
        }

        @Override
        public void close() {
            // nothing to close
        }
    }

    /** Named as Confluent's. */
    static final class RestClientException extends Exception {
        private static final long serialVersionUID = 1L;

        RestClientException(String message) {
            super(message);
        }
    }

    private static final Map<String, Object> CONFIG = Map.of(
            "schema.registry.url", "http://localhost:1",
            "value.serializer.class", Mirror.class.getName(),
            "value.deserializer.class", Mirror.class.getName());

    @Test
    void shouldUseTheClassesNamed() {
        try (Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, CONFIG);
                Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, CONFIG)) {
            byte[] bytes = serializer.serialize("t", new RecordHeaders(), Samples.fullPrompt());
            assertThat(bytes[0]).isEqualTo((byte) '{');
            assertThat(deserializer.deserialize("t", new RecordHeaders(), bytes))
                    .isEqualTo(Samples.fullPrompt());
            assertThat(deserializer.deserialize("t", serializer.serialize("t", Samples.smallPrompt())))
                    .isEqualTo(Samples.smallPrompt());
        }
    }

    @Test
    void shouldRefuseAnythingButARecord() {
        try (Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, CONFIG)) {
            assertThatThrownBy(() -> deserializer.deserialize("t", new byte[0]))
                    .isInstanceOf(SerializationException.class)
                    .hasMessage("value=a java.lang.String, expected=a io.millrace.schemas.PromptRequest");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "org.example.Missing | value.serializer.class=\"org.example.Missing\", expected=a class on the class path; is its jar in lib/ext?",
                "java.lang.String | value.serializer.class=\"java.lang.String\", expected=a Serializer with a public constructor without parameters",
                "org.apache.kafka.common.serialization.Serializer | value.serializer.class=\"org.apache.kafka.common.serialization.Serializer\", expected=a Serializer with a public constructor without parameters",
            })
    void shouldSayWhatIsWrongWithAClass(String name, String message) {
        assertThatThrownBy(() -> RecordSerdes.serializer(PromptRequest.class, Map.of("value.serializer.class", name)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @Test
    void shouldTellARegistryThatIsAwayFromARecordThatIsWrong() {
        assertAway(new ConnectException("refused"));
        assertAway(new SSLHandshakeException("certificate"));
        assertAway(new TimeoutException("slow"));
        assertAway(new RestClientException("Unavailable; error code: 50301"));
        assertAway(new RestClientException("Unauthorized; error code: 401"));
        assertAway(new RestClientException("HTTP 404 Not Found; error code: 404"));
        assertWrong(new RestClientException("Schema 7 not found; error code: 40403"));
        assertWrong(new RestClientException("Incompatible; error code: 409"));
        assertWrong(new EOFException());
        assertThat(ForeignFailures.translated(new IllegalStateException("x")))
                .isInstanceOf(SerializationException.class)
                .hasMessage("x");
    }

    private static void assertAway(Exception cause) {
        assertThat(ForeignFailures.translated(new SerializationException("outer", cause)))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessage("outer");
    }

    private static void assertWrong(Exception cause) {
        SerializationException failure = new SerializationException("outer", cause);
        assertThat(ForeignFailures.translated(failure)).isSameAs(failure);
    }
}
