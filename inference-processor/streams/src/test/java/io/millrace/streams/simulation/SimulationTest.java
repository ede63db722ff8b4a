package io.millrace.streams.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs as many seeds as fit in {@code millrace.simulation.seconds} (30), from a fresh one on; or, with {@code
 * millrace.simulation.seed}, {@code millrace.simulation.runs} (1) seeds from that one on, on all processors.
 */
class SimulationTest {

    private static final Logger LOG = LoggerFactory.getLogger(SimulationTest.class);

    private static final long SECONDS = Long.getLong("millrace.simulation.seconds", 30);

    /** Seeds that have found something once, in the product or in the simulation. */
    private static final List<Long> REGRESSIONS = List.of(147L, 333L, 832L, 2115L);

    private static final int FIRST_SEED = 1;
    private static final int MOST_RUNS = 1_000;

    private static final ch.qos.logback.classic.Logger PRODUCT =
            (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("io.millrace");

    /** What faults make the product log is of no interest here, and there is much of it. */
    @BeforeAll
    static void quiet() {
        PRODUCT.setLevel(Level.OFF);
        ((ch.qos.logback.classic.Logger) LOG).setLevel(Level.INFO);
    }

    @AfterAll
    static void loud() {
        PRODUCT.setLevel(Level.INFO);
    }

    @Test
    void shouldAnswerEachPromptOnceWhateverHappens() {
        Long seed = Long.getLong("millrace.simulation.seed");
        Campaign.Summary summary = seed == null
                ? forAWhile()
                : Campaign.run(
                        seed,
                        Long.getLong("millrace.simulation.runs", 1),
                        Runtime.getRuntime().availableProcessors());
        LOG.info("{} runs, {} turns: {}", summary.runs(), summary.turns(), summary.kinds());
        summary.failure().ifPresent(SimulationTest::fail);
    }

    private static Campaign.Summary forAWhile() {
        for (long seed : REGRESSIONS) {
            Campaign.run(seed, 1, () -> false, Mutation.NONE).failure().ifPresent(SimulationTest::fail);
        }
        long start = System.nanoTime();
        long firstSeed = System.currentTimeMillis() * 1_000;
        LOG.info("simulating for {} s from seed {} on", SECONDS, firstSeed);
        Campaign.Summary summary = Campaign.run(
                firstSeed,
                Integer.MAX_VALUE,
                () -> System.nanoTime() - start > TimeUnit.SECONDS.toNanos(SECONDS),
                Mutation.NONE);
        if (summary.runs() >= MOST_RUNS) {
            assertThat(summary.kinds())
                    .as("what the runs reach")
                    .containsKeys(
                            "CRASH",
                            "STOP",
                            "CUT",
                            "SCALE",
                            "RESHUFFLE",
                            "REGISTRY",
                            "answer lost",
                            "request lost",
                            "crash at after commit",
                            "stop at send",
                            "transaction timed out",
                            "offsets refused",
                            "no member any more",
                            "migrated",
                            "revoked",
                            "revived",
                            "died",
                            "exit",
                            "memory exhausted",
                            "killed by a prompt",
                            "CANCEL",
                            "PAUSE",
                            "RESUME",
                            "orphaned",
                            "adopted",
                            "orphan expired",
                            "duplicate");
        }
        return summary;
    }

    private static void fail(Campaign.Failure failure) {
        throw new AssertionError(failure.report(), failure.cause());
    }

    @Test
    void shouldRunASeedTheSameWayEachTime() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + 50; seed++) {
            assertThat(traceHash(seed)).as("seed " + seed).isEqualTo(traceHash(seed));
        }
    }

    private static long traceHash(long seed) {
        Simulation simulation = new Simulation(seed, Mutation.NONE);
        simulation.run();
        return simulation.trace().hash();
    }

    /** A simulation that finds nothing proves nothing: each planted fault is found, and found again by its seed. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void shouldFindWhatIsWrong(Mutation mutation) {
        Campaign.Summary summary = Campaign.run(FIRST_SEED, MOST_RUNS, () -> false, mutation);

        Campaign.Failure failure = summary.failure().orElseThrow(() -> new AssertionError(mutation + " was not found"));
        LOG.info(
                "{} found with seed {}: {}",
                mutation,
                failure.seed(),
                failure.cause().getMessage());
        Campaign.Failure again =
                Campaign.run(failure.seed(), 1, () -> false, mutation).failure().orElseThrow();
        assertThat(again.traceHash()).isEqualTo(failure.traceHash());
        assertThat(again.report()).isEqualTo(failure.report());
        assertThat(Campaign.run(failure.seed(), 1, () -> false, Mutation.NONE).failure())
                .as("the same run without " + mutation)
                .isEmpty();
    }
}
