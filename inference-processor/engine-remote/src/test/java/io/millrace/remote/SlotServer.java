package io.millrace.remote;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A model server in simulated time, as llama-server works: so many slots, a queue before them, and steps in which new prompts
 * are read whole and each other slot gets a token. A step takes longer the more there is in it.
 */
final class SlotServer {

    /** What a step costs. */
    record Costs(long stepNanos, long decodeNanos, long prefillTokenNanos) {}

    /** A request: tokens to read and to write. */
    static final class Job {
        private final int promptTokens;
        private final int answerTokens;
        private final Runnable onFirstToken;
        private final Runnable onEnd;
        private int written;

        Job(int promptTokens, int answerTokens, Runnable onFirstToken, Runnable onEnd) {
            this.promptTokens = promptTokens;
            this.answerTokens = answerTokens;
            this.onFirstToken = onFirstToken;
            this.onEnd = onEnd;
        }
    }

    private final int slots;
    private final Costs costs;
    private final FakeClock clock;
    private final Deque<Job> queue = new ArrayDeque<>();
    private final List<Job> active = new ArrayList<>();
    private long tokens;
    private double queueSeconds;
    private int longestQueue;

    SlotServer(int slots, Costs costs, FakeClock clock) {
        this.slots = slots;
        this.costs = costs;
        this.clock = clock;
    }

    void add(Job job) {
        queue.add(job);
    }

    /** Runs one step, and tells of what it brought. Answers whether there was anything to do. */
    boolean step() {
        while (active.size() < slots && !queue.isEmpty()) {
            active.add(queue.remove());
        }
        if (active.isEmpty()) {
            return false;
        }
        long nanos = costs.stepNanos();
        for (Job job : active) {
            nanos += job.written == 0 ? job.promptTokens * costs.prefillTokenNanos() : costs.decodeNanos();
        }
        queueSeconds += queue.size() * nanos / 1e9;
        longestQueue = Math.max(longestQueue, queue.size());
        clock.advanceTo(clock.nanoTime() + nanos);
        tell();
        return true;
    }

    /** One job's end may bring the next job: this goes on as it would with sockets, one event after another. */
    private void tell() {
        for (Iterator<Job> jobs = List.copyOf(active).iterator(); jobs.hasNext(); ) {
            Job job = jobs.next();
            job.written++;
            tokens++;
            if (job.written == 1) {
                job.onFirstToken.run();
            }
            if (job.written >= job.answerTokens) {
                active.remove(job);
                job.onEnd.run();
            }
        }
    }

    /** What has happened since the last call. */
    Measure measure(Optional<Measure> before) {
        Measure now = new Measure(clock.nanoTime() / 1e9, tokens, queueSeconds, longestQueue);
        longestQueue = 0;
        return before.map(now::since).orElse(now);
    }

    /** Seconds, tokens written, queue lengths. */
    record Measure(double seconds, long tokens, double queueSeconds, int longestQueue) {
        Measure since(Measure before) {
            return new Measure(
                    seconds - before.seconds, tokens - before.tokens, queueSeconds - before.queueSeconds, longestQueue);
        }

        double tokensPerSecond() {
            return tokens / seconds;
        }

        double meanQueue() {
            return queueSeconds / seconds;
        }
    }
}
