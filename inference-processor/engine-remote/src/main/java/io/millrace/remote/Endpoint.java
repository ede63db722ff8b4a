package io.millrace.remote;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.ServerCall;
import io.millrace.remote.protocol.ServerCall.Delivery;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One server: what is in flight to it, how much may be, and whether it takes anything now.
 *
 * <p>Threads: the engine's monitor guards it.
 */
final class Endpoint {

    /** Attempts that try a server again whose breaker was open. */
    private static final int HALF_OPEN_ATTEMPTS = 3;

    /** No generation is too slow to be healthy. */
    private static final Duration NEVER_SLOW = Duration.ofDays(365);

    private final Server server;
    private final CircuitBreaker breaker;
    private final BackOff backOff;
    private final RemoteClock clock;
    private final SlackGate slack;
    private final FirstTokenLimit streamedLimit;
    private final ThroughputLimit wholeLimit;
    private final Set<String> answeredPaths = new HashSet<>(); // of those that the protocol has: three at most
    private Delivery lastDelivery = Delivery.STREAMED;
    private int inFlight;
    private int withoutToken;
    private long tokensInFlight;
    private long finished;
    private long openUntilNanos;
    private long pausedSinceNanos;
    private long pausedUntilNanos;
    private int pauses; // in a row
    private String pauseReason = "";
    private boolean proven = true;
    private boolean streams = true; // what is asked for as a stream
    private long answeredNanos;

    Endpoint(Server server, RemoteOptions options, BackOff backOff, SlackGate slack, RemoteClock clock) {
        this.server = server;
        this.backOff = backOff;
        this.slack = slack;
        this.clock = clock;
        int most = Math.min(server.maxInFlight(), options.maxNumSeqs());
        streamedLimit = new FirstTokenLimit(most);
        wholeLimit = new ThroughputLimit(most);
        long now = clock.nanoTime();
        openUntilNanos = now;
        pausedSinceNanos = now - 1;
        pausedUntilNanos = now;
        answeredNanos = now;
        breaker = CircuitBreaker.of(server.name(), breakerConfig(options.breaker(), clock));
        long openNanos = options.breaker().openTime().toNanos();
        breaker.getEventPublisher().onStateTransition(event -> {
            if (event.getStateTransition().getToState() == State.OPEN) {
                openUntilNanos = clock.nanoTime() + openNanos;
            }
        });
    }

    private static CircuitBreakerConfig breakerConfig(RemoteOptions.Breaker options, RemoteClock clock) {
        return CircuitBreakerConfig.custom()
                .failureRateThreshold((float) (options.failureRate() * 100))
                .slidingWindow(
                        options.window(),
                        (options.window() + 1) / 2,
                        CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                .permittedNumberOfCallsInHalfOpenState(HALF_OPEN_ATTEMPTS)
                .waitDurationInOpenState(options.openTime())
                .slowCallDurationThreshold(NEVER_SLOW)
                .clock(new BreakerClock(clock))
                .currentTimestampFunction(_ -> clock.nanoTime(), TimeUnit.NANOSECONDS)
                .build();
    }

    /** The engine's clock as the breaker reads it: by the one that no adjustment moves. */
    private static final class BreakerClock extends Clock {
        private final RemoteClock clock;

        BreakerClock(RemoteClock clock) {
            this.clock = clock;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.EPOCH.plusNanos(clock.nanoTime());
        }
    }

    String name() {
        return server.name();
    }

    Server server() {
        return server;
    }

    int inFlight() {
        return inFlight;
    }

    long tokensInFlight() {
        return tokensInFlight;
    }

    long finished() {
        return finished;
    }

    /** Of requests in flight; what slack leaves of it may be less. */
    int limit() {
        return limit(lastDelivery).get();
    }

    private AdaptiveLimit limit(Delivery asked) {
        return asked == Delivery.STREAMED && streams ? streamedLimit : wholeLimit;
    }

    State breakerState() {
        return breaker.getState();
    }

    double slackFraction() {
        return slack.fraction(clock.nanoTime());
    }

    /** Why it takes nothing now, whatever is asked; empty while it takes requests, or would if it were not full. */
    Optional<String> whyAway(long now) {
        if (pausedUntilNanos - now > 0) {
            return Optional.of(describe(pauseReason, pausedUntilNanos - now));
        }
        if (breaker.getState() == State.OPEN && openUntilNanos - now >= 0) {
            return Optional.of(describe("its circuit breaker is open: " + pauseReason, openUntilNanos - now));
        }
        return slack.fraction(now) > 0 ? Optional.empty() : Optional.of(describe(slack.describe(now), 0));
    }

    private String describe(String why, long nanos) {
        String again = nanos > 0 ? String.format(Locale.ROOT, "; tried again in %.1f s", nanos / 1e9) : "";
        return "endpoint " + name() + " (" + server.shownUrl() + "): " + why + again;
    }

    /** Whether a request fits here now. A budget that is too small for one request alone takes it alone. */
    boolean hasRoom(Delivery delivery, int tokens, long now) {
        if (whyAway(now).isPresent()) {
            return false;
        }
        double fraction = slack.fraction(now);
        int most = proven ? slack.most(limit(delivery).get(), inFlight, now) : 1;
        if (inFlight >= most) {
            return false;
        }
        return inFlight == 0
                || server.maxTokensInFlight().isEmpty()
                || tokensInFlight + tokens <= server.maxTokensInFlight().getAsLong() * fraction;
    }

    /** Asks the breaker, which counts those that it lets through. Each true is followed by {@link #begin}. */
    boolean mayTry() {
        return breaker.tryAcquirePermission();
    }

    Attempt begin(ServerCall call, int tokens) {
        lastDelivery = call.delivery();
        inFlight++;
        withoutToken++;
        tokensInFlight += tokens;
        return new Attempt(this, call, tokens, inFlight, limit(lastDelivery).epoch(), finished, clock.nanoTime());
    }

    /** An attempt's first token has come. */
    void firstToken(Attempt attempt) {
        withoutToken--;
        works();
        if (attempt.delivery() == Delivery.STREAMED) {
            streamedLimit.firstToken(
                    attempt.epoch(), attempt.inFlight(), (int) (finished - attempt.finishedBefore()), withoutToken);
        }
    }

    private void leave(Attempt attempt) {
        inFlight--;
        tokensInFlight -= attempt.tokens();
        if (attempt.hasToken()) {
            finished++;
        } else {
            withoutToken--;
        }
    }

    /** An attempt was answered. */
    void answered(Attempt attempt, long now) {
        if (attempt.asked() == Delivery.STREAMED) {
            streams = attempt.delivery() == Delivery.STREAMED;
        }
        if (attempt.delivery() == Delivery.WHOLE) {
            wholeLimit.answered(now - attempt.sentNanos(), attempt.inFlight());
        }
        refused(attempt, now);
    }

    /** An attempt was answered by a refusal that only its request is to blame for: sooner than others are. */
    void refused(Attempt attempt, long now) {
        leave(attempt);
        breaker.onSuccess(now - attempt.sentNanos(), TimeUnit.NANOSECONDS);
        works();
        answeredNanos = now;
        answeredPaths.add(attempt.path());
    }

    private void works() {
        proven = true;
        pauses = 0;
    }

    /** Whether it has answered anything since. */
    boolean answeredSince(long nanos) {
        return answeredNanos - nanos > 0;
    }

    /** Whether it has ever answered on this path. */
    boolean answersOn(String path) {
        return answeredPaths.contains(path);
    }

    /** Whether it has ever answered at all. */
    boolean answers() {
        return !answeredPaths.isEmpty();
    }

    /** An attempt ended in a way that says nothing of the server. */
    void stopped(Attempt attempt) {
        leave(attempt);
        breaker.releasePermission();
    }

    /** An attempt failed; another may do better. */
    void broke(Attempt attempt, Fault.Broken fault, long now) {
        leave(attempt);
        breaker.onError(now - attempt.sentNanos(), TimeUnit.NANOSECONDS, new FaultException(fault));
        if (breaker.getState() == State.OPEN) {
            pauseReason = fault.message();
        }
    }

    /** The server takes nothing for a while. Answers whether this attempt is the first that tells of it. */
    boolean away(Attempt attempt, Fault.Away fault, long now) {
        leave(attempt);
        switch (fault.kind()) {
            case RATE_LIMITED -> {
                breaker.releasePermission();
                limit(attempt.asked()).refused(attempt.epoch());
            }
            case UNAVAILABLE, BAD_GATEWAY, TIMEOUT -> {
                failed(attempt, fault, now);
                limit(attempt.asked()).refused(attempt.epoch());
            }
            default -> failed(attempt, fault, now);
        }
        // those that were sent together fail together: one pause
        if (attempt.sentNanos() - pausedSinceNanos <= 0) {
            return false;
        }
        pauses++;
        pausedSinceNanos = now;
        pausedUntilNanos = now + fault.retryAfter().map(Duration::toNanos).orElseGet(() -> backOff.nanos(pauses));
        pauseReason = fault.message();
        return true;
    }

    private void failed(Attempt attempt, Fault.Away fault, long now) {
        breaker.onError(now - attempt.sentNanos(), TimeUnit.NANOSECONDS, new FaultException(fault));
        proven = false;
    }

    /** A line for people. */
    String describe(long now) {
        return String.format(
                Locale.ROOT,
                "endpoint %s (%s): in flight %d of %d, tokens in flight %d, breaker %s, slack %.2f%s",
                name(),
                server.shownUrl(),
                inFlight,
                limit(),
                tokensInFlight,
                breaker.getState().name().toLowerCase(Locale.ROOT),
                slack.fraction(now),
                whyAway(now).map(why -> "; away: " + why).orElse(""));
    }
}
