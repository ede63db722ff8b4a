package io.millrace.bench.pipeline;

import io.millrace.bench.Sample;
import java.util.List;

/**
 * What came out.
 *
 * @param server who answered: its version
 * @param model its file, or its name
 * @param processors of this machine, which server, broker, Millrace and clients share
 * @param java its version
 * @param throughput a row for each number of the server's threads
 * @param live users' latency beside a bulk load
 */
public record RemoteReport(
        RemotePlan plan,
        String server,
        String model,
        int processors,
        String java,
        List<Throughput> throughput,
        Live live) {

    /**
     * One side of a comparison; but for tokens a second, means over its runs.
     *
     * @param tokensPerSecond generated ones
     * @param server what it said of itself
     * @param jvmCpuSeconds of a run: Millrace, or the clients, and who sends and reads
     * @param brokerCpuSeconds of a run
     */
    public record Side(Sample tokensPerSecond, Server server, double jvmCpuSeconds, double brokerCpuSeconds) {}

    /**
     * A server by its own metrics; means over runs, but for the most.
     *
     * @param processing requests that had a slot
     * @param fullFraction part of the time in which all slots were taken
     * @param deferredWhileFull requests that waited in the server then
     * @param mostDeferred ever
     */
    public record Server(double processing, double fullFraction, double deferredWhileFull, int mostDeferred) {

        static Server of(List<ServerSampler.Use> uses) {
            return new Server(
                    mean(uses, ServerSampler.Use::meanProcessing),
                    mean(uses, ServerSampler.Use::fullFraction),
                    mean(uses, ServerSampler.Use::meanDeferredWhileFull),
                    uses.stream()
                            .mapToInt(ServerSampler.Use::mostDeferred)
                            .max()
                            .orElse(0));
        }

        private static double mean(
                List<ServerSampler.Use> uses, java.util.function.ToDoubleFunction<ServerSampler.Use> value) {
            return uses.stream().mapToDouble(value).average().orElse(0);
        }
    }

    /** So many clients asked the server directly, once, to find the best number. */
    public record Clients(int clients, double tokensPerSecond) {}

    /**
     * All prompts at once.
     *
     * @param serverThreads that it computes with; 0: not ours to know
     * @param search by which the best number of clients was found
     * @param bestClients of the search
     * @param direct that number of clients, answers in one piece
     * @param streamed the same clients, answers token by token, which is how Millrace asks
     * @param streamedRatio of these two, of each round: what streaming costs the server
     * @param ratio Millrace to the best number of clients, of each round
     * @param sameAnswers prompts with the same text from both, in all rounds; a batch's make-up may change llama.cpp's
     * @param answers all of them
     */
    public record Throughput(
            int serverThreads,
            List<Clients> search,
            int bestClients,
            Side direct,
            Side streamed,
            Sample streamedRatio,
            Side millrace,
            Sample ratio,
            long sameAnswers,
            long answers) {}

    /**
     * Users' prompts straight to the server, milliseconds from when they were sent.
     *
     * @param perSecond mean rate of arrival
     * @param alone without other load
     * @param bulk beside a bulk load through Millrace that takes all it can
     * @param slack beside the same load behind the slack gate
     * @param slackMetric which the gate goes by: the server's count of requests that it works on
     * @param slackCurve of the gate
     */
    public record Live(
            int serverThreads,
            double perSecond,
            Beside alone,
            Beside bulk,
            Beside slack,
            String slackMetric,
            String slackCurve) {}

    /**
     * One way.
     *
     * @param prompts of users, in all rounds
     * @param bulkPerSecond prompts of the bulk load that were answered meanwhile, of each round; zeros where there was none
     */
    public record Beside(int prompts, PipelineReport.Latency latency, Sample bulkPerSecond, Server server) {}
}
