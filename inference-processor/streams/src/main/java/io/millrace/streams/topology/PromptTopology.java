package io.millrace.streams.topology;

import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;

/** Source, processor with its pending store, four sinks. */
public final class PromptTopology {

    private static final String SOURCE = "prompts";
    private static final String PROCESSOR = "processor";

    private PromptTopology() {}

    /**
     * The whole topology.
     *
     * @param maxPendingRecordBytes the changelog's {@code max.message.bytes}
     */
    public static Topology build(
            String promptsTopic, OutputTopics outputs, int maxPendingRecordBytes, PromptProcessor.Parts parts) {
        Topology topology = new Topology();
        topology.addSource(
                AutoOffsetReset.earliest(),
                SOURCE,
                new RecordOrWallClockTime(),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                promptsTopic);
        ProcessorSupplier<byte[], byte[], OutKey, byte[]> supplier = () -> new PromptProcessor(parts);
        topology.addProcessor(PROCESSOR, supplier, SOURCE);
        topology.addStateStore(PendingStore.builder(maxPendingRecordBytes), PROCESSOR);
        if (parts.deduplication().isPresent()) {
            topology.addStateStore(RequestStore.builder(maxPendingRecordBytes), PROCESSOR);
        }
        for (Sink sink : Sink.values()) {
            topology.addSink(
                    sink.nodeName(),
                    outputs.of(sink),
                    OutKey.SERIALIZER,
                    new ByteArraySerializer(),
                    new SamePartition(),
                    PROCESSOR);
        }
        return topology;
    }
}
