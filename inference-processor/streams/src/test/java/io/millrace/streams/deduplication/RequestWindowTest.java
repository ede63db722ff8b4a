package io.millrace.streams.deduplication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.deduplication.TakenCodec.Taken;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

/** Who has an id, and until when. */
class RequestWindowTest {

    private static final Uuid TOPIC = new Uuid(1, 2);
    private static final long WALL_MS = 1_000_000;
    private static final Duration WINDOW = Duration.ofMinutes(10);

    private final KeyValueStore<Bytes, byte[]> store =
            Stores.inMemoryKeyValueStore(RequestStore.NAME).get();
    private final AtomicLong nanos = new AtomicLong(77);

    @Test
    void shouldGiveAnIdToTheFirstThatAsksAndNameItToTheOthers() {
        RequestWindow window = window(100, WALL_MS);

        assertThat(window.take("a", 5)).isEmpty();
        assertThat(window.take("b", 6)).isEmpty();
        assertThat(window.take("a", 7)).hasValue(5);
        assertThat(window.take("a", 5)).as("asked again after a restart").isEmpty();
        assertThat(window.hasTaken(5)).isTrue();
        assertThat(window.hasTaken(7)).isFalse();
    }

    @Test
    void shouldForgetAnIdWhenTheWindowHasPassed() {
        RequestWindow window = window(100, WALL_MS);
        window.take("a", 5);

        pass(WINDOW.minusMillis(1));
        assertThat(window.take("a", 6)).hasValue(5);
        pass(Duration.ofMillis(1));
        assertThat(window.take("a", 7)).isEmpty();
        assertThat(window.take("a", 8)).hasValue(7);
        assertThat(window.size()).isEqualTo(1);
    }

    @Test
    void shouldForgetTheOldestBeyondItsBound() {
        RequestWindow window = window(2, WALL_MS);
        window.take("a", 1);
        window.take("b", 2);
        window.take("c", 3);

        assertThat(window.size()).isEqualTo(2);
        assertThat(entries()).isEqualTo(2);
        assertThat(window.take("b", 4)).hasValue(2);
        assertThat(window.take("a", 5)).isEmpty();
    }

    @Test
    void shouldGiveAnIdBackWhoseHolderGotNoAnswer() {
        RequestWindow window = window(100, WALL_MS);
        window.take("a", 1);

        window.release(99);
        assertThat(window.take("a", 2)).hasValue(1);
        window.release(1);
        assertThat(window.take("a", 3)).isEmpty();
        assertThat(entries()).isEqualTo(1);
    }

    @Test
    void shouldKeepItsEntriesAndTheirAgeOverARestart() {
        RequestWindow before = window(2, WALL_MS);
        before.take("late", 9);
        pass(Duration.ofMinutes(3));
        before.take("early in the partition, taken later", 1);

        RequestWindow after = window(2, WALL_MS + Duration.ofMinutes(4).toMillis());

        assertThat(after.take("late", 10)).hasValue(9);
        after.take("third", 11);
        assertThat(after.hasTaken(9))
                .as("the oldest went, not the lowest offset")
                .isFalse();
        assertThat(after.hasTaken(1)).isTrue();
        pass(Duration.ofMinutes(9));
        assertThat(after.take("early in the partition, taken later", 12)).isEmpty();
    }

    @Test
    void shouldNotBeEmptiedByAWallClockThatWasSetBackBeforeARestart() {
        window(100, WALL_MS).take("a", 1);

        RequestWindow after = window(100, 0);

        assertThat(after.take("a", 2)).hasValue(1);
        pass(WINDOW);
        assertThat(after.take("a", 3)).isEmpty();
    }

    @Test
    void shouldCountTheTimeInWhichNobodyRan() {
        window(100, WALL_MS).take("a", 1);

        assertThat(window(100, WALL_MS + WINDOW.toMillis()).take("a", 2)).isEmpty();
    }

    @Test
    void shouldForgetALittleAtATimeAfterALongPause() {
        RequestWindow window = window(1000, WALL_MS);
        for (int i = 0; i < 500; i++) {
            window.take("r" + i, i);
        }
        pass(WINDOW);

        assertThat(window.take("r499", 500))
                .as("over, though it is still there")
                .isEmpty();
        assertThat(window.size()).isEqualTo(500 - 64);
        for (int i = 501; i < 520; i++) {
            window.take("r" + i, i);
        }
        assertThat(window.size()).isEqualTo(20);
        assertThat(entries()).isEqualTo(20);
    }

    @Test
    void shouldNotCountEntriesOfATopicThatWasCreatedAgain() {
        store.put(TakenCodec.key("a"), TakenCodec.encode(new Taken(new Uuid(3, 4), 1, WALL_MS)));
        store.put(TakenCodec.key("b"), TakenCodec.encode(new Taken(new Uuid(3, 4), 2, WALL_MS)));

        RequestWindow window = window(100, WALL_MS);

        assertThat(window.size()).isZero();
        assertThat(window.hasTaken(1)).isFalse();
        assertThat(window.take("a", 7)).isEmpty();
        assertThat(window.take("a", 8)).hasValue(7);
        assertThat(entries()).as("b is gone too").isEqualTo(1);
    }

    @Test
    void shouldRefuseEntriesThatItCannotRead() {
        assertThatThrownBy(() -> TakenCodec.decode(new byte[] {2}))
                .isInstanceOf(SerializationException.class)
                .hasMessage("request entry format=2, expected=1: written by a newer release; run that release,"
                        + " or one between");
        assertThatThrownBy(() -> TakenCodec.decode(new byte[] {1, 2}))
                .isInstanceOf(SerializationException.class)
                .hasMessage("request entry length=2, expected=33");
        assertThatThrownBy(() -> TakenCodec.decode(new byte[0]))
                .isInstanceOf(SerializationException.class)
                .hasMessageStartingWith("request entry format=absent, expected=1");
    }

    @Test
    void shouldRefuseASizeOfNothing() {
        assertThatThrownBy(() -> new DeduplicationSettings(Duration.ZERO, 1))
                .hasMessage("deduplication.window=PT0S, expected=at least 1 ms");
        assertThatThrownBy(() -> new DeduplicationSettings(WINDOW, 0))
                .hasMessage("deduplication.max_entries=0, expected=at least 1");
    }

    private RequestWindow window(int maxEntries, long wallMs) {
        return new RequestWindow(store, new DeduplicationSettings(WINDOW, maxEntries), TOPIC, wallMs, nanos::get);
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private int entries() {
        int count = 0;
        try (var all = store.all()) {
            for (; all.hasNext(); all.next()) {
                count++;
            }
        }
        return count;
    }
}
