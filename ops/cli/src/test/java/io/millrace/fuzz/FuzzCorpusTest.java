package io.millrace.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Reads the corpus, and mutations of it. {@code make fuzz TARGET=json SECONDS=600} goes on from there under coverage
 * guidance, in a JVM of its own; what it finds goes into the corpus.
 */
class FuzzCorpusTest {

    private static final int MUTATIONS_PER_FILE = 60;
    private static final Duration LOOP = Duration.ofMinutes(5);

    @ParameterizedTest
    @EnumSource
    void shouldReadTheCorpus(HostileInput target) throws IOException {
        List<Path> corpus = corpus(target);
        assertThat(corpus).isNotEmpty();
        for (Path file : corpus) {
            read(target, Files.readAllBytes(file), file.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReadMutationsOfTheCorpus(HostileInput target) throws IOException {
        long seed = Long.getLong("millrace.fuzz.seed", System.nanoTime());
        Random random = new Random(seed);
        List<Path> corpus = corpus(target);
        for (Path file : corpus) {
            byte[] original = Files.readAllBytes(file);
            byte[] other = Files.readAllBytes(corpus.get(random.nextInt(corpus.size())));
            // one input may take all that a template's budget allows
            int mutations = target == HostileInput.CHAT_TEMPLATE ? MUTATIONS_PER_FILE / 10 : MUTATIONS_PER_FILE;
            for (int i = 0; i < mutations; i++) {
                byte[] mutation = mutate(original, other, random);
                read(target, mutation, file + ", millrace.fuzz.seed=" + seed + ", mutation " + i);
            }
        }
    }

    /** Flips bytes, cuts, repeats a piece, or goes on with another file. */
    private static byte[] mutate(byte[] original, byte[] other, Random random) {
        byte[] mutation = original.clone();
        int from = random.nextInt(original.length + 1);
        int length = random.nextInt(Math.min(original.length - from, 64) + 1);
        byte[] piece = Arrays.copyOfRange(original, from, from + length);
        return switch (random.nextInt(4)) {
            case 0 -> {
                for (int i = 0; i < mutation.length && i < 1 + random.nextInt(4); i++) {
                    mutation[random.nextInt(mutation.length)] = (byte) random.nextInt(256);
                }
                yield mutation;
            }
            case 1 -> Arrays.copyOf(original, from);
            case 2 ->
                join(Arrays.copyOf(original, from), piece, piece, Arrays.copyOfRange(original, from, original.length));
            default ->
                join(
                        Arrays.copyOf(original, from),
                        Arrays.copyOfRange(other, Math.min(from, other.length), other.length));
        };
    }

    private static byte[] join(byte[]... pieces) {
        byte[] all =
                new byte[Arrays.stream(pieces).mapToInt(piece -> piece.length).sum()];
        int at = 0;
        for (byte[] piece : pieces) {
            System.arraycopy(piece, 0, all, at, piece.length);
            at += piece.length;
        }
        return all;
    }

    @SuppressWarnings("AssertionFailureIgnored") // it is thrown on, with the input that it is about
    private static void read(HostileInput target, byte[] value, String what) {
        try {
            assertTimeoutPreemptively(LOOP, () -> target.read(value), what);
        } catch (Exception | Error e) {
            throw new AssertionError(target.fileName() + " broke on " + what + ": " + e, e);
        }
    }

    private static List<Path> corpus(HostileInput target) throws IOException {
        try (Stream<Path> files = Files.list(target.corpus())) {
            return files.sorted().toList();
        }
    }

    @Test
    @EnabledIfSystemProperty(named = HostileInput.TARGET, matches = ".+", disabledReason = "run by make fuzz")
    void shouldSurviveFuzzing() throws Exception {
        HostileInput target = HostileInput.named(System.getProperty(HostileInput.TARGET));
        Path generated = Files.createDirectories(Path.of("target/fuzz", target.fileName()));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-Xmx1g",
                "-ea",
                "-D" + HostileInput.TARGET + "=" + target.fileName(),
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + HostileInput.class.getName(),
                "--instrumentation_includes=io.millrace.**:org.snakeyaml.**:org.apache.avro.**",
                "--custom_hook_includes=io.millrace.**",
                "-max_total_time=" + Integer.getInteger("millrace.fuzz.seconds", 60),
                "-timeout=60", // of one input, seconds
                "-rss_limit_mb=4096",
                "-max_len=65536",
                "-artifact_prefix=" + generated.resolveSibling(target.fileName() + "-")));
        command.add(generated.toString());
        command.add(target.corpus().toString());
        Path log = generated.resolveSibling(target.fileName() + ".log");
        Process fuzzer = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(fuzzer.waitFor())
                    .as("exit code, see " + log.toAbsolutePath())
                    .isZero();
        } finally {
            fuzzer.destroyForcibly();
        }
    }
}
