package io.millrace.streams.simulation;

import io.millrace.streams.config.DeduplicationSettings;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code processor.deduplication}, for one partition: of the prompts with one id, one at a time has it. It keeps it for the window
 * where it is answered, and gives it back where it is not; the others are told whose it is.
 *
 * <p>When an id is taken is not to be seen from outside: after its prompt was sent, and before that ended.
 */
final class DuplicateRule {

    /** Of the window's clock, which starts anew from milliseconds with each life of a task. */
    private static final long CLOCK_NANOS = 5_000_000;

    private static final Pattern TAKEN_BY = Pattern.compile("request_id=(\\S+) was taken by (\\S+) a moment ago.*");

    /** In a value of the store of taken ids. */
    private static final int OFFSET_AT = 17;

    private final DeduplicationSettings settings;
    private final List<Prompt> prompts; // by offset
    private final Map<Integer, Ending> endings = new HashMap<>(); // by offset
    private final boolean forEver;

    DuplicateRule(Plan plan, List<Prompt> prompts, List<Ending> endings) {
        this.settings = plan.deduplication().orElseThrow();
        this.prompts = prompts;
        endings.forEach(ending -> this.endings.put(ending.offset(), ending));
        this.forEver = plan.remembersForEver();
    }

    /** @param taken values of the store of taken ids, when all is over */
    void check(List<byte[]> taken) {
        for (Ending ending : endings.values()) {
            if (ending.isDuplicate()) {
                checkDuplicate(ending);
            }
            if (ending.isAnswer()) {
                checkAnswer(ending);
            }
        }
        checkTaken(taken);
    }

    private void checkDuplicate(Ending ending) {
        Prompt prompt = prompts.get(ending.offset());
        Matcher matcher = TAKEN_BY.matcher(ending.text());
        require(matcher.matches() && matcher.group(1).equals(prompt.requestId()), ending, "its id");
        String place = matcher.group(2);
        int offset = Integer.parseInt(place.substring(place.lastIndexOf('-') + 1));
        require(place.equals(Commands.place(ending.partition(), offset)), ending, "a place in its partition");
        require(offset != ending.offset(), ending, "another prompt");
        require(Objects.equals(prompts.get(offset).requestId(), prompt.requestId()), ending, "one with its id");
        Ending holder = Objects.requireNonNull(endings.get(offset));
        require(!forEver || !holder.isDuplicate(), ending, "one that has the id, not " + holder);
        long apartNanos = prompt.sentNanos() - holder.writtenNanos();
        require(holder.isAnswer() || apartNanos <= 0, ending, "none, since the id was given back: " + holder);
        require(apartNanos < settings.window().toNanos() + CLOCK_NANOS, ending, "none after the window: " + holder);
    }

    /** Two answers to one id are at least a window apart, unless so many ids came between that it was forgotten. */
    private void checkAnswer(Ending ending) {
        Prompt prompt = prompts.get(ending.offset());
        for (Ending other : endings.values()) {
            Prompt same = prompts.get(other.offset());
            if (prompt.requestId() == null
                    || other.offset() <= ending.offset()
                    || !other.isAnswer()
                    || !prompt.requestId().equals(same.requestId())) {
                continue;
            }
            long mostApartNanos = Math.max(ending.writtenNanos(), other.writtenNanos())
                    - Math.min(prompt.sentNanos(), same.sentNanos());
            require(
                    settings.maxEntries() < prompts.size()
                            || mostApartNanos > settings.window().toNanos() - CLOCK_NANOS,
                    ending,
                    "one answer to its id, not also " + other);
        }
    }

    private void checkTaken(List<byte[]> taken) {
        if (taken.size() > settings.maxEntries()) {
            throw new AssertionError("taken=" + taken.size() + ", expected=at most " + settings.maxEntries());
        }
        Set<Integer> answered = Set.copyOf(taken.stream()
                .map(value -> Math.toIntExact(ByteBuffer.wrap(value).getLong(OFFSET_AT)))
                .toList());
        for (int offset : answered) {
            Ending ending = Objects.requireNonNull(endings.get(offset));
            require(ending.isAnswer(), ending, "an id that was given back");
        }
    }

    private void require(boolean holds, Ending ending, String expected) {
        if (!holds) {
            throw new AssertionError(prompts.get(ending.offset()) + " ended as " + ending + ", expected=" + expected);
        }
    }
}
