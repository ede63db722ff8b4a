package io.millrace.streams.app;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * What may be put in from outside.
 *
 * @param observer for metrics
 * @param clients makes Kafka's clients; tests put in broken ones
 */
public record ProcessorHooks(ProcessorObserver observer, Clients clients) {

    /** Makes the client supplier of an application. */
    @FunctionalInterface
    public interface Clients {
        KafkaClientSupplier create(String applicationId, Gate gate, CommitPacer pacer);
    }

    /** The real clients. */
    public static ProcessorHooks of(ProcessorObserver observer) {
        return new ProcessorHooks(observer, ClientSupplier::new);
    }
}
