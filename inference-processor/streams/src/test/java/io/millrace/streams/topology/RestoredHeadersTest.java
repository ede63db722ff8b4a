package io.millrace.streams.topology;

import static io.millrace.streams.topology.TopologyHarness.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.streams.processor.api.Record;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who answers a prompt after its first owner is gone knows its headers from the pending store alone; senders wait for them. */
class RestoredHeadersTest {

    private static final List<Header> HEADERS = List.of(
            new RecordHeader("millrace.correlation_id", utf8("c-1")),
            new RecordHeader("traceparent", utf8("00-1-2-01")),
            new RecordHeader("millrace.redrive.of", utf8("failures-0-7")),
            new RecordHeader("mine", new byte[] {1, (byte) 0xff}),
            new RecordHeader("mine", new byte[0]));

    private final TaskHarness task;

    RestoredHeadersTest(@TempDir File directory) {
        task = new TaskHarness(directory);
        task.carry(HEADERS);
    }

    @AfterEach
    void close() {
        task.close();
    }

    @Test
    void shouldReturnThemWithEachKindOfEnding() {
        task.engine().holding(text -> true);
        task.begin();
        task.read(0, "hello");
        task.read(1, "fail");
        task.left(2, new byte[] {0, 1}, 0, 0);
        assertThat(task.pending()).isEqualTo(3);

        task.dieAndMove();
        task.settle();

        assertThat(task.pending()).isZero();
        assertThat(task.forwarded("results")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
        assertThat(task.forwarded("failures")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
        assertThat(task.forwarded("dead-letters")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
        assertThat(task.forwarded("metrics")).hasSize(2).allSatisfy(RestoredHeadersTest::hasAll);
    }

    @Test
    void shouldReturnThemWhereARunIsAdopted() {
        task.engine().holding(text -> true);
        task.begin();
        task.read(0, "hello");
        task.settle();
        task.moveWithinTheProcess();
        task.engine().release();
        task.settle();

        assertThat(task.submitted()).containsExactly("hello");
        assertThat(task.forwarded("results")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
    }

    @Test
    void shouldReturnThemWithThePromptsThatAreGivenUp() {
        task.left(0, "poison", 5, 3);
        task.begin();
        task.settle();

        assertThat(task.forwarded("failures")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
    }

    @Test
    void shouldReturnThemHoweverASuspectRanBefore() {
        task.engine().holding(text -> true);
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();
        assertThat(task.stored(0).alone()).isTrue();
        task.dieAndMove();
        assertThat(task.stored(0).strikes()).isEqualTo(1);
        task.engine().holding(text -> true);
        task.settle();
        task.moveToAnotherProcess();
        task.lookAfterOwners();
        task.settle();

        assertThat(task.forwarded("results")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
    }

    @Test
    void shouldReturnThemWhereASuspectRunsAlone() {
        task.left(0, "suspect", 5);
        task.begin();
        task.settle();

        assertThat(task.forwarded("results")).hasSize(1).allSatisfy(RestoredHeadersTest::hasAll);
    }

    private static void hasAll(Record<OutKey, byte[]> record) {
        assertThat(record.headers().toArray()).startsWith(HEADERS.toArray(Header[]::new));
    }
}
