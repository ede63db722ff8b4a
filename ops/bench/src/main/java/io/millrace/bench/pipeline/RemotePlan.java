package io.millrace.bench.pipeline;

import java.time.Duration;
import java.util.List;

/**
 * What is measured of a remote engine.
 *
 * @param rounds counted ones, at least 1; in each, all that is compared takes turns
 * @param slots requests that the server works on together
 * @param serverThreads that the server computes with: one row of the report for each; none: a server that runs already
 * @param warmUp records through Kafka before anything counts
 * @param throughput prompts that are all there at the start
 * @param clients how many at a time ask the server directly; the best of them is compared with
 * @param live prompts that users send meanwhile
 * @param bulk prompts of the load that users must not feel
 */
public record RemotePlan(
        int rounds,
        int slots,
        List<Integer> serverThreads,
        Plan.Rate warmUp,
        Plan.Burst throughput,
        List<Integer> clients,
        Live live,
        Plan.Burst bulk) {

    /**
     * Live prompts.
     *
     * @param perSecond mean rate of arrival, above 0
     * @param alone how many are sent without a bulk load
     */
    public record Live(double perSecond, int alone, int words, int maxTokens) {

        public Live {
            if (!(perSecond > 0)) {
                throw new IllegalArgumentException("per_second=" + perSecond + ", expected=above 0");
            }
        }
    }

    /** Minutes: the figures that are published. */
    public static final RemotePlan DEFAULT = new RemotePlan(
            3,
            16,
            List.of(1),
            new Plan.Rate(50, Duration.ofMinutes(1)),
            new Plan.Burst(128, 30, 8, 40),
            List.of(1, 2, 4, 8, 16, 32, 64),
            new Live(0.7, 20, 20, 8),
            new Plan.Burst(64, 30, 8, 40));

    /** Whether it works: its figures say nothing. */
    public static final RemotePlan QUICK = new RemotePlan(
            1,
            4,
            List.of(1),
            new Plan.Rate(10, Duration.ofSeconds(1)),
            Plan.Burst.of(8, 4, 4),
            List.of(1, 4),
            new Live(4, 3, 4, 2),
            Plan.Burst.of(8, 4, 4));

    public RemotePlan {
        serverThreads = List.copyOf(serverThreads);
        clients = List.copyOf(clients);
        if (rounds < 1) {
            throw new IllegalArgumentException("rounds=" + rounds + ", expected=at least 1");
        }
        if (slots < 1) {
            throw new IllegalArgumentException("slots=" + slots + ", expected=at least 1");
        }
        if (serverThreads.stream().anyMatch(threads -> threads < 1)) {
            throw new IllegalArgumentException("server_threads=" + serverThreads + ", expected=numbers of 1 or more");
        }
    }

    /** The same with another number of rounds. */
    public RemotePlan withRounds(int value) {
        return new RemotePlan(value, slots, serverThreads, warmUp, throughput, clients, live, bulk);
    }

    /** The same with other numbers of the server's threads. */
    public RemotePlan withServerThreads(List<Integer> value) {
        return new RemotePlan(rounds, slots, value, warmUp, throughput, clients, live, bulk);
    }

    /**
     * The same for a server that runs already.
     *
     * @param slotCount requests that it works on together, at least 1
     * @param prompts for throughput; half as many are the bulk load
     * @param answers tokens of each, at least and at most
     * @param usersPerSecond live prompts
     * @param warmUpTime of ours
     */
    public RemotePlan withServer(
            int slotCount, int prompts, Answers answers, double usersPerSecond, Duration warmUpTime) {
        return new RemotePlan(
                rounds,
                slotCount,
                List.of(),
                new Plan.Rate(warmUp.perSecond(), warmUpTime),
                new Plan.Burst(prompts, throughput.words(), answers.least, answers.most),
                clients,
                new Live(usersPerSecond, live.alone, live.words, live.maxTokens),
                new Plan.Burst(Math.max(1, prompts / 2), bulk.words(), answers.least, answers.most));
    }

    /** Tokens of answers. */
    public record Answers(int least, int most) {}
}
