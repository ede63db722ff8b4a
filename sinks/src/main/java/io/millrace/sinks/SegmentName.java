package io.millrace.sinks;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;

/**
 * The name of one file, which says what is in it: {@code <topic>-<partition>-<from>-<to>.jsonl} holds all committed records of
 * the offsets from (inclusive) to (exclusive) and never changes again; {@code <topic>-<partition>-<from>.jsonl.open} is being written.
 *
 * @param partition whose records are in the file
 * @param from first offset of its range, 0 or more
 * @param to end of its range (exclusive); empty while the file is open
 */
record SegmentName(TopicPartition partition, long from, OptionalLong to) {
    private static final Pattern FORMAT = Pattern.compile(
            "(?<topic>[A-Za-z0-9._-]+)-(?<partition>\\d{1,10})-(?<from>\\d{20})(?:-(?<to>\\d{20})\\.jsonl|\\.jsonl\\.open)");

    static SegmentName open(TopicPartition partition, long from) {
        return new SegmentName(partition, from, OptionalLong.empty());
    }

    SegmentName finished(long end) {
        return new SegmentName(partition, from, OptionalLong.of(end));
    }

    boolean isOpen() {
        return to.isEmpty();
    }

    /** Empty if the file is none of ours. */
    static Optional<SegmentName> parse(String fileName) {
        Matcher matcher = FORMAT.matcher(fileName);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            TopicPartition partition =
                    new TopicPartition(matcher.group("topic"), Integer.parseInt(matcher.group("partition")));
            String to = matcher.group("to");
            return Optional.of(new SegmentName(
                    partition,
                    Long.parseLong(matcher.group("from")),
                    to == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(to))));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    String fileName() {
        String start = partition.topic() + "-" + partition.partition() + "-" + digits(from);
        return to.isPresent() ? start + "-" + digits(to.getAsLong()) + ".jsonl" : start + ".jsonl.open";
    }

    private static String digits(long offset) {
        return String.format(Locale.ROOT, "%020d", offset);
    }
}
