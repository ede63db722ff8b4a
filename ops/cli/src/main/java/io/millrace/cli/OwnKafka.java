package io.millrace.cli;

import io.millrace.devstack.EmbeddedKafka;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.HttpSettings;
import io.millrace.streams.config.KafkaSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.TopicSettings;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;

/** What a command needs that starts a Kafka of its own. */
final class OwnKafka {

    private OwnKafka() {}

    /**
     * The session's configuration, for that broker: of Kafka's properties none is kept, they are another cluster's.
     *
     * @param properties Kafka's and the registry's, beside the address
     */
    static MillraceConfig config(
            MillraceConfig from,
            String applicationId,
            EmbeddedKafka kafka,
            int partitions,
            Map<String, String> properties) {
        Map<String, String> all = new LinkedHashMap<>(properties);
        all.put(KafkaSettings.BOOTSTRAP_SERVERS, kafka.bootstrapServers());
        all.put("state.dir", kafka.directory().resolve("streams").toString());
        return new MillraceConfig(
                applicationId,
                from.instance(),
                new KafkaSettings(all),
                partitioned(from.topics(), partitions),
                from.models(),
                from.defaultModel(),
                from.processor(),
                new HttpSettings(false, from.http().host(), 0),
                from.metrics());
    }

    /** The same with one model. */
    static MillraceConfig serving(MillraceConfig from, Session.ReadyModel model) {
        String name = model.settings().name();
        return new MillraceConfig(
                from.applicationId(),
                from.instance(),
                from.kafka(),
                from.topics(),
                Map.of(name, model.settings()),
                name,
                from.processor(),
                from.http(),
                from.metrics());
    }

    private static TopicSettings partitioned(TopicSettings from, int partitions) {
        return new TopicSettings(
                from.prompts(),
                from.results(),
                from.metrics(),
                from.engineMetrics(),
                from.failures(),
                from.deadLetters(),
                from.control(),
                partitions,
                1);
    }

    /** Those that are not there yet. */
    static void createTopics(MillraceConfig config) {
        try (Admin admin = Admin.create(KafkaAccess.properties(config))) {
            var shape = new Topics.Shape(config.topics().partitions(), (short) 1);
            Topics.create(admin, ProcessorSettings.of(config), shape);
        }
    }
}
