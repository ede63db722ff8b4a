package io.millrace.sinks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Crashes the sink's files at every write, force, create and rename, and between them. */
class PartitionFilesCrashTest {
    private static final TopicPartition PARTITION = new TopicPartition("results", 3);
    private static final long BEGINNING = 5;
    private static final Rolling ROLLING = new Rolling(300, Duration.ofDays(1), InstantSource.system());

    @ParameterizedTest
    @EnumSource(ModelStorage.Kind.class)
    void shouldLoseAndDoubleNothingWhereverOneCrashHits(ModelStorage.Kind kind) throws IOException {
        SortedMap<Long, byte[]> records = records(new Random(1));
        ModelStorage undisturbed = new ModelStorage(new Random(0));
        writeAll(undisturbed, records);
        for (long crashAt = 1; crashAt <= undisturbed.operations(); crashAt++) {
            for (int seed = 0; seed < 8; seed++) {
                ModelStorage storage = new ModelStorage(new Random(seed));
                storage.crashAfter(crashAt);
                runUntilCrash(storage, records);
                storage.restart(kind);
                requireFinishedFilesWhole(storage, records);
                writeAll(storage, records);
                requireEachRecordOnce(storage, records);
            }
        }
    }

    @TestFactory
    List<DynamicTest> shouldLoseAndDoubleNothingInManyCrashesInARow() {
        List<DynamicTest> tests = new ArrayList<>();
        for (long seed = 1; seed <= 20; seed++) {
            long first = seed * 1000;
            tests.add(DynamicTest.dynamicTest("seeds from " + first, () -> {
                for (long each = first; each < first + 50; each++) {
                    crashOften(each);
                }
            }));
        }
        return tests;
    }

    private static void crashOften(long seed) throws IOException {
        Random random = new Random(seed);
        SortedMap<Long, byte[]> records = records(random);
        ModelStorage storage = new ModelStorage(random);
        int crashes = 1 + random.nextInt(12);
        for (int crash = 0; crash < crashes; crash++) {
            storage.crashAfter(1 + random.nextInt(25));
            runUntilCrash(storage, records);
            storage.restart(random.nextBoolean() ? ModelStorage.Kind.KILL : ModelStorage.Kind.POWER_FAILURE);
            requireFinishedFilesWhole(storage, records);
        }
        writeAll(storage, records);
        requireEachRecordOnce(storage, records);
    }

    @Test
    void shouldGoOnFromTheOpenFileWhenFinishedOnesWereMovedAway() throws IOException {
        SortedMap<Long, byte[]> records = records(new Random(2));
        ModelStorage storage = new ModelStorage(new Random(0));
        long position = writeAll(storage, records);
        ModelStorage onlyOpen = new ModelStorage(new Random(0));
        segments(storage).stream().filter(SegmentName::isOpen).forEach(file -> onlyOpen.create(file.fileName()));
        try (PartitionFiles files = recover(onlyOpen)) {
            assertThat(files.position()).isEqualTo(position);
        }
    }

    @Test
    void shouldRefuseFilesThatWereChangedByHand() {
        ModelStorage overlapping = new ModelStorage(new Random(0));
        overlapping.create(SegmentName.open(PARTITION, 5).finished(9).fileName());
        overlapping.create(SegmentName.open(PARTITION, 8).fileName());
        assertThatThrownBy(() -> recover(overlapping))
                .isInstanceOf(SinkException.class)
                .hasMessage(
                        "file=results-3-00000000000000000008.jsonl.open, expected=from at least 9, where the finished files end");

        ModelStorage emptied = new ModelStorage(new Random(0));
        emptied.create(SegmentName.open(PARTITION, 5).fileName());
        emptied.create(SegmentName.open(PARTITION, 8).fileName());
        assertThatThrownBy(() -> recover(emptied))
                .isInstanceOf(SinkException.class)
                .hasMessage("file=results-3-00000000000000000005.jsonl.open, position=5, torn_bytes=0, "
                        + "expected=complete lines up to 8: the file was changed");
    }

    private static void runUntilCrash(ModelStorage storage, SortedMap<Long, byte[]> records) throws IOException {
        try {
            writeAll(storage, records);
        } catch (ModelStorage.Crash e) {
            // as intended; a run that ends before is as good a start for the next
        }
    }

    private static long writeAll(ModelStorage storage, SortedMap<Long, byte[]> records) throws IOException {
        try (PartitionFiles files = recover(storage)) {
            int polled = 0;
            for (var record : records.tailMap(files.position()).entrySet()) {
                files.append(record.getKey(), record.getValue());
                if (++polled % 3 == 0) {
                    files.force();
                }
            }
            files.force();
            files.finish();
            return files.position();
        }
    }

    private static PartitionFiles recover(ModelStorage storage) throws IOException {
        return PartitionFiles.recover(storage, ROLLING, PARTITION, segments(storage), () -> BEGINNING);
    }

    private static List<SegmentName> segments(ModelStorage storage) {
        return storage.list().stream()
                .map(SegmentName::parse)
                .flatMap(Optional::stream)
                .sorted(Comparator.comparingLong(SegmentName::from))
                .toList();
    }

    /** What a reader may rely on at any time. */
    private static void requireFinishedFilesWhole(ModelStorage storage, SortedMap<Long, byte[]> records) {
        for (SegmentName file : segments(storage)) {
            if (!file.isOpen()) {
                assertThat(new String(storage.content(file.fileName()), UTF_8))
                        .isEqualTo(text(records.subMap(file.from(), file.to().orElseThrow())));
            }
        }
    }

    private static void requireEachRecordOnce(ModelStorage storage, SortedMap<Long, byte[]> records) {
        requireFinishedFilesWhole(storage, records);
        long next = BEGINNING;
        for (SegmentName file : segments(storage)) {
            assertThat(file.from()).isEqualTo(next);
            next = file.to().orElse(next);
        }
        assertThat(next).isEqualTo(records.lastKey() + 1);
        assertThat(segments(storage).getLast().isOpen()).isTrue();
    }

    private static String text(SortedMap<Long, byte[]> lines) {
        StringBuilder text = new StringBuilder();
        lines.values().forEach(line -> text.append(new String(line, UTF_8)));
        return text.toString();
    }

    /** Offsets with the gaps that transaction markers and aborted records leave; lines of many lengths. */
    private static SortedMap<Long, byte[]> records(Random random) {
        JsonlLine lines = new JsonlLine(ValueToJson.json());
        SortedMap<Long, byte[]> records = new TreeMap<>();
        long offset = BEGINNING + random.nextInt(3);
        for (int i = 0; i < 20; i++) {
            String value = "\"" + "é".repeat(random.nextInt(60)) + "\"";
            records.put(
                    offset,
                    lines.of(new ConsumerRecord<>(
                            PARTITION.topic(), 3, offset, new byte[] {65}, value.getBytes(UTF_8))));
            offset += 1 + random.nextInt(3);
        }
        return records;
    }
}
