package io.millrace.streams.topology;

import java.util.Optional;
import java.util.Set;
import org.apache.kafka.streams.processor.StreamPartitioner;

/**
 * Output partition = input partition modulo the output's count: a worker's open transaction, which hides what follows it
 * from read_committed consumers, then hides nobody else's results.
 */
final class SamePartition implements StreamPartitioner<OutKey, byte[]> {

    @Override
    public Optional<Set<Integer>> partitions(String topic, OutKey key, byte[] value, int numPartitions) {
        return Optional.of(Set.of(key.inputPartition() % numPartitions));
    }
}
