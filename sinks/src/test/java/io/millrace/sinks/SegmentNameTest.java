package io.millrace.sinks;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentNameTest {

    @Test
    void shouldSayPartitionAndOffsets() {
        SegmentName open = SegmentName.open(new TopicPartition("millrace.results-v2", 11), 42);
        assertThat(open.fileName()).isEqualTo("millrace.results-v2-11-00000000000000000042.jsonl.open");
        assertThat(open.finished(108).fileName())
                .isEqualTo("millrace.results-v2-11-00000000000000000042-00000000000000000108.jsonl");
    }

    @Test
    void shouldReadItsOwnNames() {
        SegmentName open = SegmentName.open(new TopicPartition("a-1-00000000000000000001", 0), Long.MAX_VALUE);
        assertThat(SegmentName.parse(open.fileName())).hasValue(open);
        SegmentName finished = SegmentName.open(new TopicPartition("t", 3), 0).finished(7);
        assertThat(SegmentName.parse(finished.fileName())).hasValue(finished);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sink.lock",
                "t.id",
                "t-0-1.jsonl",
                "t-0-00000000000000000001.jsonl",
                "t-0-00000000000000000001-00000000000000000002.jsonl.open",
                "t-9999999999-00000000000000000001.jsonl.open",
                "t-0-99999999999999999999.jsonl.open"
            })
    void shouldLeaveForeignFilesAlone(String name) {
        assertThat(SegmentName.parse(name)).isEmpty();
    }
}
