package io.millrace.bench.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What is run.
 *
 * @param time how long prompts come and faults happen, at least 30 s
 * @param seed of faults and prompts
 * @param workers processes, 1 to 16
 * @param rate prompts a second, above 0
 * @param gap mean time between two faults, at least 1 s
 * @param kinds of faults, at least one, each once
 */
public record ChaosPlan(
        Duration time, long seed, int workers, double rate, Duration gap, List<FaultKind> kinds, Worker worker) {

    private static final Duration LEAST_TIME = Duration.ofSeconds(30);
    private static final int MOST_WORKERS = 16;

    /**
     * How a worker is started.
     *
     * @param mainClass of the command line, whose {@code process} is run
     * @param model a GGUF file
     */
    public record Worker(String mainClass, List<String> jvmOptions, Path model) {

        public Worker {
            jvmOptions = List.copyOf(jvmOptions);
        }
    }

    public ChaosPlan {
        kinds = kinds.stream().distinct().toList();
        check("minutes", time, time.compareTo(LEAST_TIME) >= 0, "at least 0.5");
        check("workers", workers, workers >= 1 && workers <= MOST_WORKERS, "1 to " + MOST_WORKERS);
        check("rate", rate, rate > 0, "above 0");
        check("gap", gap, gap.compareTo(Duration.ofSeconds(1)) >= 0, "at least 1 s");
        check("faults", kinds, !kinds.isEmpty(), "at least one");
    }

    private static void check(String name, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }

    /** The faults of this plan. */
    public List<Fault> schedule() {
        return FaultSchedule.of(seed, time, gap, kinds);
    }
}
