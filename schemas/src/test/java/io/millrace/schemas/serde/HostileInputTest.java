package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.millrace.schemas.PromptRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Garbled values end in one of the two exceptions that a topic's reader knows what to do with, and threads do not disturb each other. */
class HostileInputTest {

    private static final int ROUNDS = 5_000;
    private static final int THREADS = 8;
    private static final String[] PIECES = {
        "null",
        "true",
        "-1",
        "1e400",
        "{}",
        "[]",
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\u0000",
        "\ufeff",
        "\"prompt\"",
        "\"metadata\":{",
        "99999999999999999999"
    };

    @ParameterizedTest
    @ValueSource(strings = {"json", "avro"})
    void shouldRefuseGarbledValuesAsUndecodableOrInvalid(String format) {
        long seed = 20_261_124;
        Random random = new Random(seed);
        Map<String, Object> config = config(format);
        try (Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, config);
                Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config)) {
            byte[] good = requireNonNull(serializer.serialize("t", Samples.fullPrompt()));
            int refused = 0;
            for (int round = 0; round < ROUNDS; round++) {
                byte[] bad = format.equals("json") ? garbledText(good, random) : garbledBytes(good, random);
                try {
                    deserializer.deserialize("t", bad);
                } catch (SerializationException | InvalidFieldException expected) {
                    refused++;
                } catch (RuntimeException e) {
                    fail("seed=" + seed + " round=" + round, e);
                }
            }
            assertThat(refused).isGreaterThan(ROUNDS / 10);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "avro"})
    void shouldServeManyThreadsWithOneSerializer(String format) throws ExecutionException, InterruptedException {
        Map<String, Object> config = config(format);
        try (Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, config);
                Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, config);
                ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<? extends Future<?>> done = IntStream.range(0, THREADS)
                    .mapToObj(thread -> threads.submit(() -> {
                        for (int i = 0; i < 500; i++) {
                            PromptRequest record = PromptRequest.newBuilder(Samples.fullPrompt())
                                    .setRequestId(thread + "-" + i)
                                    .build();
                            byte[] bytes = serializer.serialize("t", record);
                            assertThat(deserializer.deserialize("t", bytes)).isEqualTo(record);
                        }
                    }))
                    .toList();
            for (Future<?> each : done) {
                each.get();
            }
        }
    }

    @Test
    void shouldReadAMillionElementsAndRefuseThemByTheLast() {
        String ids = "1,".repeat(999_999);
        JsonRecordDeserializer<PromptRequest> deserializer = new JsonRecordDeserializer<>(PromptRequest.class);
        byte[] good = ("{\"prompt_token_ids\":[" + ids + "1]}").getBytes(UTF_8);
        assertThat(requireNonNull(deserializer.deserialize("t", good)).getPromptTokenIds())
                .hasSize(1_000_000);
        byte[] bad = ("{\"prompt_token_ids\":[" + ids + "{}]}").getBytes(UTF_8);
        try {
            deserializer.deserialize("t", bad);
            fail("read");
        } catch (InvalidFieldException e) {
            assertThat(e).hasMessage("prompt_token_ids[999999]={}, expected=an integer");
        }
    }

    private static Map<String, Object> config(String format) {
        return Map.of("value.format", format, "schema.registry.url", "mock://" + HostileInputTest.class.getName());
    }

    /** Cuts a stretch out and puts something else in, at any byte. */
    private static byte[] garbledText(byte[] good, Random random) {
        String text = new String(good, UTF_8);
        int from = random.nextInt(text.length());
        int to = Math.min(text.length(), from + random.nextInt(20));
        return (text.substring(0, from) + PIECES[random.nextInt(PIECES.length)] + text.substring(to)).getBytes(UTF_8);
    }

    /** Overwrites some bytes behind the frame's prefix, or cuts the end off. */
    private static byte[] garbledBytes(byte[] good, Random random) {
        byte[] bad = Arrays.copyOf(good, random.nextInt(4) == 0 ? 5 + random.nextInt(good.length - 5) : good.length);
        for (int i = random.nextInt(4); i >= 0 && bad.length > 5; i--) {
            bad[5 + random.nextInt(bad.length - 5)] = (byte) random.nextInt();
        }
        return bad;
    }
}
