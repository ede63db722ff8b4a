package io.millrace.sinks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/** Reads a sink's directory as its users do, and checks what they rely on. */
final class SinkFiles {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private SinkFiles() {}

    /** The finished files' lines; each file's range begins where the partition's last ended, and its lines are in the range. */
    static List<JsonNode> finishedLines(Path directory) {
        Map<TopicPartition, Long> next = new HashMap<>();
        List<JsonNode> all = new ArrayList<>();
        for (SegmentName file : finished(directory)) {
            long position = next.getOrDefault(file.partition(), file.from());
            assertThat(file.from()).as(file.fileName()).isEqualTo(position);
            for (JsonNode line : lines(directory.resolve(file.fileName()))) {
                assertThat(line.get("offset").asLong())
                        .as(file.fileName())
                        .isBetween(position, file.to().orElseThrow() - 1);
                position = line.get("offset").asLong() + 1;
                all.add(line);
            }
            next.put(file.partition(), file.to().orElseThrow());
        }
        return all;
    }

    static List<SegmentName> finished(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.flatMap(file -> SegmentName.parse(file.getFileName().toString()).stream())
                    .filter(file -> !file.isOpen())
                    .sorted(Comparator.comparing(SegmentName::fileName))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<JsonNode> lines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(SinkFiles::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode parse(String line) {
        try {
            return MAPPER.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
