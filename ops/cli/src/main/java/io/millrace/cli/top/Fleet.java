package io.millrace.cli.top;

import io.millrace.cli.top.FleetView.Flow;
import io.millrace.cli.top.FleetView.LastReport;
import io.millrace.cli.top.FleetView.Latency;
import io.millrace.cli.top.FleetView.Total;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Remembers what the records of the last seconds say, by the times in them: clocks of the fleet should agree within a second.
 *
 * <p>Threads: not for use by several.
 */
public final class Fleet {

    /** Endings kept: a window of ten seconds at 10,000 prompts a second. With more, rates and latencies are those of the last ones. */
    private static final int MAX_ENDINGS = 100_000;

    /** Failures kept; as many as endings would be too much for what is a count. */
    private static final int MAX_FAILURES = 20_000;

    /** An instance that says nothing any more is shown for this long. */
    private static final Duration FORGET_AFTER = Duration.ofMinutes(1);

    /** Intervals of an engine that are kept: one a second for the time above, and more for windows that are longer. */
    private static final int INTERVALS_PER_SECOND = 2;

    private static final double MILLIS_PER_SECOND = 1e3;
    private static final String NO_MODEL = "-";

    private static final Set<String> FAILURE_CODES =
            Arrays.stream(FailureCode.values()).map(Enum::name).collect(Collectors.toUnmodifiableSet());

    private record Key(String instance, String model) {}

    private record Ending(Key key, Instant at, Optional<Times> times) {}

    private record Times(double firstTokenMs, double totalMs) {}

    private record Failure(String code, Instant at) {}

    private final Duration window;
    private final int maxIntervals;
    private final Map<Key, Deque<EngineInterval>> intervals =
            new TreeMap<>(Comparator.comparing(Key::instance).thenComparing(Key::model));
    private final Deque<Ending> endings = new ArrayDeque<>();
    private final Deque<Failure> failures = new ArrayDeque<>();
    private Instant earliest = Instant.MAX;

    /** @param window how far back rates and latencies look, at least a second */
    public Fleet(Duration window) {
        if (window.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException("window=" + window + ", expected=at least 1 s");
        }
        this.window = window;
        this.maxIntervals = (int) (Math.max(window.toSeconds(), FORGET_AFTER.toSeconds()) + 1) * INTERVALS_PER_SECOND;
    }

    /** What an engine did in a second. */
    public void add(EngineInterval interval) {
        var key = new Key(interval.getInstance(), interval.getModel());
        Deque<EngineInterval> known = intervals.computeIfAbsent(key, _ -> new ArrayDeque<>());
        known.addLast(interval);
        if (known.size() > maxIntervals) {
            known.removeFirst();
        }
        seen(interval.getStartedAt());
    }

    /** How a prompt ended, and what it took. */
    public void add(InferenceMetrics metrics) {
        String model = metrics.getModel() == null ? NO_MODEL : metrics.getModel();
        Optional<Times> times = metrics.getTimings() == null || FAILURE_CODES.contains(metrics.getOutcome())
                ? Optional.empty()
                : Optional.of(new Times(
                        metrics.getTimings().getTimeToFirstTokenMs(),
                        metrics.getTimings().getTotalMs()));
        endings.addLast(new Ending(new Key(metrics.getInstance(), model), metrics.getCompletedAt(), times));
        if (endings.size() > MAX_ENDINGS) {
            endings.removeFirst();
        }
        seen(metrics.getCompletedAt());
    }

    /** Why a prompt was not answered. */
    public void add(InferenceFailure failure) {
        failures.addLast(new Failure(failure.getCode().name(), failure.getFailedAt()));
        if (failures.size() > MAX_FAILURES) {
            failures.removeFirst();
        }
    }

    private void seen(Instant at) {
        earliest = at.isBefore(earliest) ? at : earliest;
    }

    /** How it looks now. Forgets what is too old to matter later. */
    public FleetView view(Instant now) {
        forget(now);
        Instant from = now.minus(window);
        Map<Key, List<Ending>> ended =
                endings.stream().filter(each -> each.at().isAfter(from)).collect(Collectors.groupingBy(Ending::key));
        Set<Key> keys = new TreeSet<>(Comparator.comparing(Key::instance).thenComparing(Key::model));
        keys.addAll(intervals.keySet());
        ended.keySet().stream().filter(key -> !key.model().equals(NO_MODEL)).forEach(keys::add);

        double seconds = span(now, ended.values());
        List<FleetView.Engine> engines = keys.stream()
                .map(key -> engine(key, now, from, ended.getOrDefault(key, List.of()), seconds))
                .toList();
        Map<String, Integer> byCode = new TreeMap<>();
        failures.stream()
                .filter(each -> each.at().isAfter(from))
                .forEach(each -> byCode.merge(each.code(), 1, Integer::sum));
        int instances = (int) keys.stream().map(Key::instance).distinct().count();
        return new FleetView(now, window, instances, engines, total(engines, ended.values(), seconds), byCode);
    }

    /** The window, or the shorter time of which something is known. */
    private double span(Instant now, Collection<List<Ending>> ended) {
        Instant start = endings.size() < MAX_ENDINGS
                ? earliest
                : ended.stream()
                        .flatMap(List::stream)
                        .map(Ending::at)
                        .min(Comparator.naturalOrder())
                        .orElse(earliest);
        long known =
                start.equals(Instant.MAX) ? 0 : Duration.between(start, now).toMillis();
        return Math.clamp(known, 1000, window.toMillis()) / MILLIS_PER_SECOND;
    }

    private FleetView.Engine engine(Key key, Instant now, Instant from, List<Ending> ended, double seconds) {
        Deque<EngineInterval> all = intervals.getOrDefault(key, new ArrayDeque<>());
        List<EngineInterval> recent =
                all.stream().filter(each -> end(each).isAfter(from)).toList();
        double reported = sum(recent, EngineInterval::getDurationMs) / MILLIS_PER_SECOND;
        double steps = sum(recent, EngineInterval::getSteps);
        Flow flow = new Flow(
                ended.size() / seconds,
                ratio(sum(recent, EngineInterval::getPromptTokens), reported),
                ratio(sum(recent, EngineInterval::getGenerationTokens), reported),
                latency(ended, Times::firstTokenMs),
                latency(ended, Times::totalMs));
        return new FleetView.Engine(
                key.instance(),
                key.model(),
                flow,
                ratio(sum(recent, each -> each.getBatchSizeMean() * each.getSteps()), steps),
                ratio(sum(recent, each -> each.getBusyFraction() * each.getDurationMs()), reported * MILLIS_PER_SECOND),
                Optional.ofNullable(all.peekLast()).map(last -> lastReport(last, now)));
    }

    private static LastReport lastReport(EngineInterval last, Instant now) {
        Duration age = Duration.between(end(last), now);
        return new LastReport(
                last.getRequestsRunning(),
                last.getRequestsWaiting(),
                last.getRequestsPending(),
                last.getKvCacheUsagePerc(),
                List.copyOf(last.getGateClosures()),
                age.isNegative() ? Duration.ZERO : age);
    }

    /** Pending prompts are an instance's: each of its engines reports them. What was a silent one's is others' by now. */
    private static Total total(List<FleetView.Engine> engines, Collection<List<Ending>> ended, double seconds) {
        List<Ending> all = ended.stream().flatMap(List::stream).toList();
        Map<String, Integer> pending = new HashMap<>();
        int running = 0;
        int waiting = 0;
        for (FleetView.Engine engine : engines) {
            Optional<LastReport> current = engine.last().filter(each -> !each.isSilent());
            if (current.isPresent()) {
                LastReport last = current.get();
                pending.merge(engine.instance(), last.pending(), Math::max);
                running += last.running();
                waiting += last.waiting();
            }
        }
        Flow flow = new Flow(
                all.size() / seconds,
                engines.stream().mapToDouble(each -> each.flow().promptTokens()).sum(),
                engines.stream()
                        .mapToDouble(each -> each.flow().generationTokens())
                        .sum(),
                latency(all, Times::firstTokenMs),
                latency(all, Times::totalMs));
        return new Total(
                flow,
                running,
                waiting,
                pending.values().stream().mapToInt(Integer::intValue).sum());
    }

    private void forget(Instant now) {
        Instant old = now.minus(window);
        endings.removeIf(each -> !each.at().isAfter(old));
        failures.removeIf(each -> !each.at().isAfter(old));
        Instant forgotten = now.minus(FORGET_AFTER);
        intervals.values().removeIf(all -> end(all.getLast()).isBefore(forgotten));
    }

    private static Instant end(EngineInterval interval) {
        return interval.getStartedAt().plusMillis(interval.getDurationMs());
    }

    private static Optional<Latency> latency(List<Ending> ended, ToDoubleFunction<Times> value) {
        double[] sorted = ended.stream()
                .flatMap(each -> each.times().stream())
                .mapToDouble(value)
                .sorted()
                .toArray();
        return sorted.length == 0
                ? Optional.empty()
                : Optional.of(new Latency(nearestRank(sorted, 0.5), nearestRank(sorted, 0.99)));
    }

    private static double nearestRank(double[] sorted, double fraction) {
        return sorted[Math.max(0, (int) Math.ceil(fraction * sorted.length) - 1)];
    }

    private static double sum(List<EngineInterval> list, ToDoubleFunction<EngineInterval> value) {
        return list.stream().mapToDouble(value).sum();
    }

    private static double ratio(double sum, double of) {
        return of == 0 ? 0 : sum / of;
    }
}
