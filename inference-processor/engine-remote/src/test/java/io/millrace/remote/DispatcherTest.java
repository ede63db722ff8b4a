package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.remote.RemoteOptions.Choice;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.Fault.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Decisions alone. */
class DispatcherTest extends DispatcherHarness {

    @Test
    void shouldGoWhereTheFewestTokensAre() {
        Dispatcher dispatcher = dispatcher(servers("a", "b"), options -> options);
        accept(dispatcher, "large", "x", 1000);
        accept(dispatcher, "s1", "x", 100);
        accept(dispatcher, "s2", "x", 100);
        accept(dispatcher, "s3", "x", 100);

        assertThat(endpointOf("large")).isEqualTo("a");
        assertThat(List.of(endpointOf("s1"), endpointOf("s2"), endpointOf("s3")))
                .containsOnly("b");
    }

    @Test
    void shouldShareEvenlyWhereNothingIsInFlight() {
        Dispatcher dispatcher = dispatcher(servers("a", "b", "c"), options -> options);
        List<String> order = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            accept(dispatcher, "r" + i, "x", 10);
            order.add(endpointOf("r" + i));
            firstToken(dispatcher, "r" + i);
            end(dispatcher, "r" + i, answered());
        }
        assertThat(order).containsExactly("a", "b", "c", "a", "b", "c");
    }

    @Test
    void shouldSendPromptsOfOnePrefixToOneEndpointUntilThatHasMuchMoreToDo() {
        Dispatcher dispatcher = dispatcher(servers("a", "b", "c"), options -> options.choice(Choice.PREFIX_AFFINITY));
        Map<String, String> homes = new LinkedHashMap<>();
        for (int i = 0; i < 60; i++) {
            accept(dispatcher, "r" + i, "prefix " + i % 20, 10);
            String home = endpointOf("r" + i);
            assertThat(homes.merge("prefix " + i % 20, home, (before, now) -> before))
                    .isEqualTo(home);
            end(dispatcher, "r" + i, answered());
        }
        assertThat(homes.values()).as("all endpoints get some").contains("a", "b", "c");

        for (int i = 0; i < 20; i++) {
            accept(dispatcher, "burst" + i, "prefix 0", 1000);
        }
        List<String> burst =
                IntStream.range(0, 20).mapToObj(i -> endpointOf("burst" + i)).toList();
        assertThat(burst.subList(0, 2)).containsOnly(homes.get("prefix 0"));
        assertThat(burst).contains("a", "b", "c");
        assertThat(burst.subList(0, 7)).as("long before it is full").anyMatch(each -> !each.equals(burst.getFirst()));
    }

    @Test
    void shouldKeepWithinTheTokenBudgetButTakeALargeRequestAlone() {
        Dispatcher dispatcher = dispatcher(List.of(server("a", 8, OptionalLong.of(500))), options -> options);
        accept(dispatcher, "huge", "x", 2000);
        accept(dispatcher, "s1", "x", 200);
        accept(dispatcher, "s2", "x", 200);
        accept(dispatcher, "s3", "x", 200);
        assertThat(sent).containsOnlyKeys("huge");
        assertThat(dispatcher.stats().kvCacheUsage()).isEqualTo(1);

        end(dispatcher, "huge", answered());
        assertThat(sent).as("what answers take corrects what is reserved").containsKeys("s1", "s2");
        assertThat(sent).doesNotContainKey("s3");
        assertThat(dispatcher.stats().kvCacheUsage()).isBetween(0.5, 1.0);
    }

    @Test
    void shouldKeepWithinMaxInFlightOfEndpointsAndMaxNumSeqsOfAll() {
        Dispatcher dispatcher = dispatcher(
                List.of(server("a", 2, OptionalLong.empty()), server("b", 2, OptionalLong.empty())),
                options -> options.maxNumSeqs(3));
        for (int i = 0; i < 6; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        assertThat(sent).containsOnlyKeys("r0", "r1", "r2");
        assertThat(endpoints).extracting(Endpoint::inFlight).containsExactly(2, 1);
    }

    @Test
    void shouldTryAServerThatWasAwayWithOneRequestFirst() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        for (int i = 0; i < 4; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        for (String id : List.copyOf(sent.keySet())) {
            end(dispatcher, id, away());
        }
        assertThat(sent).isEmpty();
        assertThat(dispatcher.stats().healthy()).isFalse();
        assertThat(dispatcher.refusal().orElseThrow().message())
                .as("four that failed together make one pause")
                .matches("endpoint a \\(http://a/v1\\): down; tried again in (0\\.[5-9]|1\\.0) s");

        tickAfter(dispatcher, Duration.ofSeconds(1));
        assertThat(sent).containsOnlyKeys("r0");
        end(dispatcher, "r0", away());
        assertThat(dispatcher.refusal().orElseThrow().message()).matches(".*in (1\\.[0-9]|2\\.0) s");

        tickAfter(dispatcher, Duration.ofSeconds(2));
        assertThat(sent).as("another: the first may be what it fails at").containsOnlyKeys("r1");
        end(dispatcher, "r1", answered());
        assertThat(List.copyOf(sent.keySet())).containsExactly("r0", "r2", "r3");
        assertThat(completions).containsOnlyKeys("r1");
    }

    @Test
    void shouldTrustAServerAgainFromItsFirstTokenOn() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r0", "x", 10);
        accept(dispatcher, "r1", "x", 10);
        end(dispatcher, "r0", away());
        end(dispatcher, "r1", away());
        tickAfter(dispatcher, Duration.ofSeconds(1));
        assertThat(sent).containsOnlyKeys("r0");

        firstToken(dispatcher, "r0");

        assertThat(sent).as("long before the first answer has ended").containsOnlyKeys("r0", "r1");
    }

    @Test
    void shouldOpenTheBreakerAndCloseItAfterGoodAttempts() {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options -> options.breaker(new RemoteOptions.Breaker(0.5, 4, Duration.ofSeconds(30)))
                        .retries(new RemoteOptions.Retries(9, 1, Duration.ofMillis(1), Duration.ofMillis(1))));
        accept(dispatcher, "r", "x", 10);
        end(dispatcher, "r", broken());
        tickAfter(dispatcher, Duration.ofSeconds(1));
        end(dispatcher, "r", broken());

        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.OPEN);
        assertThat(dispatcher.refusal().orElseThrow().message())
                .isEqualTo("endpoint a (http://a/v1): its circuit breaker is open: oops; tried again in 30.0 s");
        tickAfter(dispatcher, Duration.ofSeconds(29));
        assertThat(sent).isEmpty();
        tickAfter(dispatcher, Duration.ofSeconds(2));
        assertThat(dispatcher.refusal())
                .as("takes requests before any has tried it")
                .isEmpty();
        assertThat(sent).containsOnlyKeys("r");
        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.HALF_OPEN);
        for (int i = 0; i < 5; i++) {
            accept(dispatcher, "more" + i, "x", 10);
        }
        assertThat(sent).as("as many as may try").hasSize(3);
        for (String id : List.copyOf(sent.keySet())) {
            end(dispatcher, id, answered());
        }
        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.CLOSED);
        assertThat(sent).hasSize(3);
    }

    @Test
    void shouldGiveThePermissionBackOfAnAttemptThatIsCancelled() {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options -> options.breaker(new RemoteOptions.Breaker(0.5, 2, Duration.ofSeconds(1)))
                        .retries(new RemoteOptions.Retries(9, 1, Duration.ofMillis(1), Duration.ofMillis(1))));
        accept(dispatcher, "r", "x", 10);
        end(dispatcher, "r", broken());
        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.OPEN);
        tickAfter(dispatcher, Duration.ofSeconds(2));
        for (int i = 0; i < 20; i++) {
            accept(dispatcher, "c" + i, "x", 10);
        }
        for (int i = 0; i < 20; i++) {
            String id = sent.keySet().stream()
                    .filter(each -> each.startsWith("c"))
                    .findFirst()
                    .orElseThrow();
            dispatcher.cancel(id);
            end(dispatcher, id, new Outcome.Stopped(Attempt.Stop.CANCELLED, ""));
        }
        assertThat(completions).hasSize(20);
        assertThat(sent).containsOnlyKeys("r");
        assertThat(endpoints.getFirst().inFlight()).isEqualTo(1);
    }

    @Test
    void shouldSpaceRetriesOutByTheirBudgetAndFailNoneOfIt() {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options -> options.breaker(new RemoteOptions.Breaker(1, 1000, Duration.ofSeconds(1)))
                        .retries(new RemoteOptions.Retries(3, 0.01, Duration.ofMillis(1), Duration.ofMillis(1))));
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 8; i++) {
                accept(dispatcher, "r" + round + "-" + i, "x", 10);
            }
            for (String id : List.copyOf(sent.keySet())) {
                end(dispatcher, id, broken());
            }
        }
        tickAfter(dispatcher, Duration.ofMillis(100));
        assertThat(sent).as("8 of the limit; the reserve has ten").hasSize(8);
        for (String id : List.copyOf(sent.keySet())) {
            end(dispatcher, id, answered());
        }
        int answeredSoFar = completions.size();
        assertThat(answeredSoFar).isEqualTo(8);
        tickAfter(dispatcher, Duration.ofMillis(100));
        for (String id : List.copyOf(sent.keySet())) {
            end(dispatcher, id, answered());
        }
        assertThat(completions).as("the reserve is used up").hasSizeBetween(10, 11);
        assertThat(dispatcher.stats().waiting()).isEqualTo(32 - completions.size());
        for (int i = 0; i < 40; i++) {
            tickAfter(dispatcher, Duration.ofSeconds(1));
            for (String id : List.copyOf(sent.keySet())) {
                end(dispatcher, id, answered());
            }
        }
        assertThat(completions).hasSize(32);
        assertThat(completions.values()).noneMatch(Failed.class::isInstance);
    }

    @ParameterizedTest
    @ValueSource(strings = {"no byte for read_timeout=PT2M", "status=504: upstream request timeout"})
    void shouldTakeASilentServerForAwayOnlyIfItAnsweredNobodyElse(String noticed) {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options ->
                        options.retries(new RemoteOptions.Retries(1, 1, Duration.ofMillis(1), Duration.ofMillis(1))));
        Outcome silent = noticed.startsWith("status")
                ? new Outcome.Faulted(new Fault.Broken(Kind.TIMEOUT, noticed), "")
                : new Outcome.Stopped(Attempt.Stop.READ_TIMEOUT, "");
        accept(dispatcher, "r", "x", 10);
        clock.advance(Duration.ofMinutes(2));
        end(dispatcher, "r", silent);
        assertThat(completions).isEmpty();

        tickAfter(dispatcher, Duration.ofSeconds(10));
        assertThat(sent).containsOnlyKeys("r");
        accept(dispatcher, "other", "x", 10);
        clock.advance(Duration.ofSeconds(1));
        assertThat(sent).as("a server that was away is tried with one request").containsOnlyKeys("r");
        end(dispatcher, "r", answered());
        assertThat(sent).containsOnlyKeys("other");
        accept(dispatcher, "third", "x", 10);
        clock.advance(Duration.ofSeconds(1));
        end(dispatcher, "third", answered());
        end(dispatcher, "other", silent);
        assertThat(completions.get("other")).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message()).isEqualTo("attempts=1, the last on endpoint a: " + noticed);
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"GENERATE", "EMBED"})
    void shouldShrinkTheLimitOfAServerThatRefusesForOthersSake(Operation operation) {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        for (int i = 0; i < 8; i++) {
            accept(dispatcher, "r" + i, "x", 10, operation);
        }
        assertThat(endpoints.getFirst().limit()).isEqualTo(8);
        for (int i = 4; i < 8; i++) {
            end(
                    dispatcher,
                    "r" + i,
                    new Outcome.Faulted(
                            new Fault.Away(Kind.RATE_LIMITED, "busy", Optional.of(Duration.ofSeconds(1))), ""));
        }
        assertThat(endpoints.getFirst().limit()).as("once for all of them").isEqualTo(7);
        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.CLOSED);
        tickAfter(dispatcher, Duration.ofMillis(999));
        assertThat(sent).hasSize(4);
        tickAfter(dispatcher, Duration.ofMillis(2));
        assertThat(sent).as("a busy server is not a suspect one").hasSize(7);
    }

    @Test
    void shouldNotSendWhatIsOverdueAlready() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        Instant before = clock.now().minusMillis(1);
        accept(dispatcher, "late", "x", 10, Operation.GENERATE, Optional.of(before));

        assertThat(sent).isEmpty();
        assertThat(completions.get("late")).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
            assertThat(failed.message()).isEqualTo("deadline=" + before + ", passed while waiting");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"answered", "refused", "broken", "away", "no path"})
    void shouldEndWhatIsCancelledAsCancelledWhateverItsServerSaysLast(String last) {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "before", "x", 10);
        end(dispatcher, "before", answered());
        accept(dispatcher, "r", "x", 10, Operation.EMBED);
        dispatcher.cancel("r");
        clock.advance(Duration.ofMillis(1));

        Outcome outcome = switch (last) {
            case "answered" -> answered();
            case "refused" -> new Outcome.Faulted(Fault.Refused.invalid("no"), "");
            case "broken" -> broken();
            case "away" -> away();
            default -> away(Kind.NOT_FOUND);
        };
        end(dispatcher, "r", outcome);

        assertThat(completions.get("r")).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED);
            assertThat(failed.message()).isEqualTo("cancelled on request");
        });
    }

    @Test
    void shouldGrowFastAlsoAfterManyThatEndedWithoutAToken() {
        Dispatcher dispatcher = dispatcher(List.of(server("a", 100, OptionalLong.empty())), options -> options);
        for (int i = 0; i < 30; i++) {
            accept(dispatcher, "refused" + i, "x", 10);
            clock.advance(Duration.ofMillis(1));
            end(dispatcher, "refused" + i, new Outcome.Faulted(Fault.Refused.invalid("no"), ""));
        }
        for (int i = 0; i < 8; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        for (int i = 0; i < 6; i++) {
            firstToken(dispatcher, "r" + i);
        }
        assertThat(endpoints.getFirst().limit()).isGreaterThan(8);
    }

    @Test
    void shouldTryAServerAgainThatWasBusyWhenItsBreakerWasHalfOpen() {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options -> options.breaker(new RemoteOptions.Breaker(0.5, 2, Duration.ofSeconds(1)))
                        .retries(new RemoteOptions.Retries(9, 1, Duration.ofMillis(1), Duration.ofMillis(1))));
        accept(dispatcher, "r", "x", 10);
        end(dispatcher, "r", broken());
        assertThat(endpoints.getFirst().breakerState()).isEqualTo(State.OPEN);
        for (int i = 0; i < 10; i++) {
            tickAfter(dispatcher, Duration.ofSeconds(2));
            assertThat(sent).containsOnlyKeys("r");
            end(dispatcher, "r", away(Kind.RATE_LIMITED));
        }
    }

    @Test
    void shouldShareManyPrefixesEvenly() {
        Dispatcher dispatcher = dispatcher(servers("a", "b", "c"), options -> options.choice(Choice.PREFIX_AFFINITY));
        Map<String, Integer> homes = new LinkedHashMap<>();
        for (int i = 1000; i < 1300; i++) {
            accept(dispatcher, "r" + i, "prefix " + i, 10);
            homes.merge(endpointOf("r" + i), 1, Integer::sum);
            end(dispatcher, "r" + i, answered());
        }
        assertThat(homes.values()).hasSize(3).allMatch(count -> count > 80);
    }

    @Test
    void shouldEndWhatPausesAtItsDeadlineAndWhenItIsCancelled() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(
                dispatcher,
                "r0",
                "x",
                10,
                Operation.GENERATE,
                Optional.of(clock.now().plusMillis(100)));
        accept(dispatcher, "r1", "x", 10);
        end(dispatcher, "r0", broken());
        end(dispatcher, "r1", broken());
        dispatcher.cancel("r1");
        assertThat(completions).containsOnlyKeys("r1");
        tickAfter(dispatcher, Duration.ofMillis(100));

        assertThat(completions).containsOnlyKeys("r0", "r1");
        assertThat(dispatcher.stats().waiting()).isZero();
    }

    @Test
    void shouldPauseBeforeEachFurtherAttempt() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r", "x", 10);
        for (int seconds = 1; seconds <= 2; seconds++) {
            end(dispatcher, "r", broken());
            tickAfter(dispatcher, Duration.ofMillis(seconds * 500 - 1));
            assertThat(sent).isEmpty();
            tickAfter(dispatcher, Duration.ofMillis(seconds * 500 + 1));
            assertThat(sent).containsOnlyKeys("r");
        }
    }

    @Test
    void shouldTakeADeadlineInAnotherAgeForOneThatDoesNotPass() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r", "x", 10, Operation.GENERATE, Optional.of(Instant.parse("9999-12-31T23:59:59Z")));
        tickAfter(dispatcher, Duration.ofDays(365));

        assertThat(sent).containsOnlyKeys("r");
        assertThat(completions).isEmpty();
    }

    @Test
    void shouldReportTheServersVersionAndItsOwnCountWhereNothingElseIsKnown() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r", "x", 10);
        Objects.requireNonNull(flights.get("r")).parts(7);
        Outcome answered = new Outcome.Answered(new Answer(
                new Output.Text("a", List.of(), List.of(), List.of()),
                FinishReason.STOP,
                new TokenCounts(OptionalInt.empty(), 0, OptionalInt.empty()),
                Optional.of("served-1")));
        end(dispatcher, "r", answered);

        assertThat(completions.get("r")).isInstanceOfSatisfying(Completion.Completed.class, completed -> {
            assertThat(completed.model().version()).contains("served-1");
            assertThat(completed.usage().completionTokens()).isEqualTo(7);
        });
    }

    @Test
    void shouldReportTheConfiguredVersionRatherThanTheServers() {
        version = Optional.of("mine");
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r", "x", 10);
        Outcome answered = new Outcome.Answered(new Answer(
                new Output.Text("a", List.of(), List.of(), List.of()),
                FinishReason.STOP,
                new TokenCounts(OptionalInt.empty(), 0, OptionalInt.empty()),
                Optional.of("served-1")));
        end(dispatcher, "r", answered);

        assertThat(completions.get("r"))
                .isInstanceOfSatisfying(
                        Completion.Completed.class,
                        completed -> assertThat(completed.model().version()).contains("mine"));
    }

    @Test
    void shouldCompleteNothingAfterItIsClosed() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options.maxNumSeqs(1));
        accept(dispatcher, "runs", "x", 10);
        accept(
                dispatcher,
                "waits",
                "x",
                10,
                Operation.GENERATE,
                Optional.of(clock.now().plusMillis(1)));
        assertThat(dispatcher.close()).containsExactly(attempt("runs"));

        end(dispatcher, "runs", answered());
        tickAfter(dispatcher, Duration.ofSeconds(1));

        assertThat(completions).isEmpty();
        assertThat(sent).isEmpty();
    }
}
