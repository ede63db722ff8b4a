package io.millrace.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RegistryConfig.Endpoint;
import io.millrace.schemas.serde.RegistryConfig.Registration;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.types.Password;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegistryConfigTest {

    @Test
    void shouldTakeConfluentsDefaults() {
        RegistryConfig config = RegistryConfig.of(Map.of("schema.registry.url", "http://localhost:8081"));
        assertThat(config)
                .isEqualTo(new RegistryConfig(
                        Optional.empty(),
                        List.of(new Endpoint(URI.create("http://localhost:8081"), Optional.empty())),
                        Map.of(),
                        Optional.empty(),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(15),
                        Registration.AUTO,
                        false,
                        SubjectNameStrategy.TOPIC_NAME));
    }

    @Test
    void shouldReadValuesOfAnyTypeThatKafkaConfigurationsHold() {
        RegistryConfig config = RegistryConfig.of(Map.of(
                "schema.registry.url",
                List.of("http://a", "https://b:1/x/"),
                "auto.register.schemas",
                false,
                "http.read.timeout.ms",
                250,
                "basic.auth.credentials.source",
                "USER_INFO",
                "basic.auth.user.info",
                new Password("a:b")));
        assertThat(config.endpoints())
                .containsExactly(
                        new Endpoint(URI.create("http://a"), Optional.of("Basic YTpi")),
                        new Endpoint(URI.create("https://b:1/x"), Optional.of("Basic YTpi")));
        assertThat(config.registration()).isEqualTo(Registration.LOOK_UP);
        assertThat(config.readTimeout()).isEqualTo(Duration.ofMillis(250));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "schema.registry.url=localhost:8081 | schema.registry.url=\"localhost:8081\", expected=http(s)://host[:port][/path], several separated by commas",
                "schema.registry.url=http:// | schema.registry.url=\"http://\", expected=http(s)://host[:port][/path], several separated by commas",
                "schema.registry.url=http://a,,http://b | schema.registry.url=\"\", expected=http(s)://host[:port][/path], several separated by commas",
                "schema.registry.url=ftp://u:secret@a | schema.registry.url=\"ftp://***@a\", expected=http(s)://host[:port][/path], several separated by commas",
                "schema.registry.url=mock:// | schema.registry.url=\"mock://\", expected=one mock://scope",
                "schema.registry.url=mock://a,mock://b | schema.registry.url=\"mock://a,mock://b\", expected=one mock://scope",
                "auto.register.schemas=yes | auto.register.schemas=\"yes\", expected=true or false",
                "normalize.schemas=1 | normalize.schemas=\"1\", expected=true or false",
                "use.latest.version=true;auto.register.schemas=true | auto.register.schemas=true, expected=false, as use.latest.version is true",
                "http.read.timeout.ms=0 | http.read.timeout.ms=\"0\", expected=milliseconds, from 1 to 999999999",
                "http.connect.timeout.ms=5s | http.connect.timeout.ms=\"5s\", expected=milliseconds, from 1 to 999999999",
                "basic.auth.credentials.source=SASL_INHERIT | basic.auth.credentials.source=\"SASL_INHERIT\", expected=URL or USER_INFO",
                "basic.auth.credentials.source=USER_INFO | basic.auth.user.info=absent, expected=a value, as basic.auth.credentials.source is USER_INFO",
                "bearer.auth.credentials.source=OAUTHBEARER | bearer.auth.credentials.source=\"OAUTHBEARER\", expected=STATIC_TOKEN",
                "bearer.auth.credentials.source=STATIC_TOKEN | bearer.auth.token=absent, expected=a value, as bearer.auth.credentials.source is STATIC_TOKEN",
                "value.subject.name.strategy=Mine | value.subject.name.strategy=\"Mine\", expected=TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy, alone or after io.confluent.kafka.serializers.subject.",
            })
    void shouldNameTheKeyItsValueAndWhatWasExpected(String settings, String message) {
        Map<String, String> config = new HashMap<>(Map.of("schema.registry.url", "http://localhost:8081"));
        for (String setting : settings.split(";", -1)) {
            int equals = setting.indexOf('=');
            config.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        assertThatThrownBy(() -> RegistryConfig.of(config))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @Test
    void shouldNameATrustStoreThatIsNotThere() {
        Map<String, String> config = Map.of(
                "schema.registry.url", "https://localhost:8081",
                "schema.registry.ssl.truststore.location", "/nowhere/trust.p12",
                "schema.registry.ssl.truststore.password", "secret");
        assertThatThrownBy(() -> RegistryConfig.of(config))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("schema.registry.ssl.*: ")
                .hasMessageContaining("/nowhere/trust.p12")
                .hasMessageNotContaining("secret");
    }

    @Test
    void shouldChooseTheFormat() {
        Map<String, String> registry = Map.of("schema.registry.url", "mock://formats");
        assertThat(RecordFormat.of(Map.of())).isEqualTo(RecordFormat.JSON);
        assertThat(RecordFormat.of(registry)).isEqualTo(RecordFormat.AVRO);
        assertThat(RecordFormat.of(Map.of("value.format", "JSON", "schema.registry.url", "mock://formats")))
                .isEqualTo(RecordFormat.JSON);
        assertThat(RecordSerdes.serializer(PromptRequest.class, Map.of())).isInstanceOf(JsonRecordSerializer.class);
        assertThat(RecordSerdes.serde(PromptRequest.class, registry).deserializer())
                .isInstanceOf(AvroRecordDeserializer.class);
        assertThatThrownBy(() -> RecordFormat.of(Map.of("value.format", "xml")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("value.format=\"xml\", expected=avro or json");
        assertThatThrownBy(() -> RecordFormat.of(Map.of("value.format", "avro")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("schema.registry.url=absent, expected=a registry's URL, as value.format is avro");
    }

    @Test
    void shouldRefuseAMockRegistryWhereOthersMustReadToo() {
        RecordSerdes.requireSharedRegistry(Map.of());
        RecordSerdes.requireSharedRegistry(Map.of("schema.registry.url", "http://localhost:8081"));
        assertThatThrownBy(() -> RecordSerdes.requireSharedRegistry(Map.of("schema.registry.url", "mock://dev")))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "schema.registry.url=\"mock://dev\", expected=a registry that other processes reach, or none"
                                + " (records are then JSON)");
    }
}
