package io.millrace.schemas.serde;

import org.apache.avro.Schema;
import org.apache.kafka.common.config.ConfigException;

/** Under which name a registry keeps the schema of a topic's values. Confluent's strategies, by class name or short name. */
enum SubjectNameStrategy {
    /** {@code <topic>-value}. */
    TOPIC_NAME("TopicNameStrategy"),
    /** {@code <record's full name>}. */
    RECORD_NAME("RecordNameStrategy"),
    /** {@code <topic>-<record's full name>}. */
    TOPIC_RECORD_NAME("TopicRecordNameStrategy");

    private static final String CONFLUENT_PACKAGE = "io.confluent.kafka.serializers.subject.";

    private final String shortName;

    SubjectNameStrategy(String shortName) {
        this.shortName = shortName;
    }

    static SubjectNameStrategy of(String key, String name) {
        for (SubjectNameStrategy strategy : values()) {
            if (name.equals(strategy.shortName) || name.equals(CONFLUENT_PACKAGE + strategy.shortName)) {
                return strategy;
            }
        }
        throw new ConfigException(key + "=\"" + name
                + "\", expected=TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy, alone or after "
                + CONFLUENT_PACKAGE);
    }

    String subject(String topic, Schema schema) {
        return switch (this) {
            case TOPIC_NAME -> topic + "-value";
            case RECORD_NAME -> schema.getFullName();
            case TOPIC_RECORD_NAME -> topic + "-" + schema.getFullName();
        };
    }
}
