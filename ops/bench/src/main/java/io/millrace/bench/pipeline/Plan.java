package io.millrace.bench.pipeline;

import java.time.Duration;

/**
 * What is measured.
 *
 * @param rounds counted ones, at least 1; in each, all that is compared takes turns
 * @param throughput prompts that are all there at the start
 * @param blockingPrompts how many of these the topology that blocks gets: it is slow
 * @param load prompts that arrive one by one while the engine is busy
 * @param busy prompts to an engine that answers at once
 * @param idle how long a process without prompts is watched; zero: not at all
 */
public record Plan(int rounds, Burst throughput, int blockingPrompts, Load load, Rate busy, Duration idle) {

    /** Prompts of this many words, and as many tokens in each answer, at random: at least, and at most. */
    public record Burst(int prompts, int words, int leastTokens, int mostTokens) {

        public Burst {
            check("prompts", prompts);
            check("words", words);
            check("least_tokens", leastTokens);
            if (mostTokens < leastTokens) {
                throw new IllegalArgumentException(
                        "most_tokens=" + mostTokens + ", expected=at least least_tokens=" + leastTokens);
            }
        }

        /** As many tokens in each answer. */
        static Burst of(int prompts, int words, int tokens) {
            return new Burst(prompts, words, tokens, tokens);
        }

        Burst withPrompts(int value) {
            return new Burst(value, words, leastTokens, mostTokens);
        }

        /** For people. */
        String tokens() {
            return leastTokens == mostTokens ? "" + leastTokens : leastTokens + " to " + mostTokens;
        }
    }

    /**
     * Prompts at a part of what the engine can do.
     *
     * @param share of the engine's own rate, above 0 and below 1
     * @param time how long they arrive
     * @param shape how many are sent at once to find the engine's rate, and their sizes
     */
    public record Load(double share, Duration time, Burst shape) {

        public Load {
            if (!(share > 0 && share < 1)) {
                throw new IllegalArgumentException("share=" + share + ", expected=above 0 and below 1");
            }
        }
    }

    /** So many prompts a second for a while, at least one. */
    public record Rate(double perSecond, Duration time) {

        int count() {
            return Math.max(1, (int) Math.round(perSecond * time.toMillis() / 1e3));
        }
    }

    /** Minutes: the figures that are published. */
    public static final Plan DEFAULT = new Plan(
            3,
            Burst.of(64, 50, 32),
            8,
            new Load(0.7, Duration.ofSeconds(30), Burst.of(64, 20, 8)),
            new Rate(40, Duration.ofSeconds(10)),
            Duration.ofSeconds(60));

    /** Whether it works: its figures say nothing. */
    public static final Plan QUICK = new Plan(
            1,
            Burst.of(4, 4, 4),
            2,
            new Load(0.5, Duration.ofSeconds(1), Burst.of(4, 4, 2)),
            new Rate(10, Duration.ofSeconds(1)),
            Duration.ZERO);

    public Plan {
        check("rounds", rounds);
        check("blocking_prompts", blockingPrompts);
        if (blockingPrompts > throughput.prompts()) {
            throw new IllegalArgumentException(
                    "blocking_prompts=" + blockingPrompts + ", expected=at most " + throughput.prompts());
        }
    }

    /** The same with another number of rounds. */
    public Plan withRounds(int value) {
        return new Plan(value, throughput, blockingPrompts, load, busy, idle);
    }

    private static void check(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=at least 1");
        }
    }
}
