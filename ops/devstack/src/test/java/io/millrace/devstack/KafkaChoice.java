package io.millrace.devstack;

/** Which broker the integration tests run on: {@code -Dkafka=embedded} (default) or {@code -Dkafka=container}. */
public enum KafkaChoice {
    EMBEDDED,
    CONTAINER;

    public static KafkaChoice current() {
        return of(System.getProperty("kafka", "embedded"));
    }

    static KafkaChoice of(String name) {
        return switch (name) {
            case "embedded" -> EMBEDDED;
            case "container" -> CONTAINER;
            default -> throw new IllegalArgumentException("kafka=" + name + ", expected=embedded or container");
        };
    }
}
