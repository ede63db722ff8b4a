package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.remote.protocol.Fault.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is to blame for what a server fails at, and who waits for whom meanwhile. */
class SuspectsTest extends DispatcherHarness {

    /** Fails at these requests, and answers all others, until nothing is sent any more. Answers how often it has failed. */
    private int serve(Dispatcher dispatcher, Kind kind, String... poison) {
        int failures = 0;
        for (int idleSeconds = 0; idleSeconds < 20; idleSeconds = sent.isEmpty() ? idleSeconds + 1 : 0) {
            for (String id : List.copyOf(sent.keySet())) {
                boolean fails = List.of(poison).contains(id);
                failures += fails ? 1 : 0;
                clock.advance(Duration.ofMillis(10));
                end(dispatcher, id, fails ? away(kind) : answered());
            }
            tickAfter(dispatcher, Duration.ofSeconds(1));
            if (failures > 100) {
                break;
            }
        }
        return failures;
    }

    @ParameterizedTest
    @EnumSource(names = {"NOT_FOUND", "MISCONFIGURED", "BAD_GATEWAY", "TIMEOUT"})
    void shouldEndWhatAServerFailsAtWhileItAnswersOthersAndLetThoseGoFirst(Kind kind) {
        Dispatcher dispatcher = dispatcher(List.of(server("a", 1, OptionalLong.empty())), options -> options);
        accept(dispatcher, "poison", "x", 10);
        for (int i = 0; i < 10; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }

        assertThat(serve(dispatcher, kind, "poison")).isEqualTo(3);

        assertThat(completions).hasSize(11);
        assertThat(completions.remove("poison")).isInstanceOfSatisfying(Failed.class, failed -> {
            boolean ofClient = kind == Kind.NOT_FOUND || kind == Kind.MISCONFIGURED;
            assertThat(failed.code()).isEqualTo(ofClient ? FailureCode.INVALID_REQUEST : FailureCode.ENGINE_ERROR);
            assertThat(failed.message())
                    .isEqualTo("attempts=3 that failed while others were answered, the last on endpoint a: down");
        });
        assertThat(completions.values()).noneMatch(Failed.class::isInstance);
    }

    @ParameterizedTest
    @EnumSource(names = {"UNAVAILABLE", "RATE_LIMITED"})
    void shouldKeepForGoodWhatAServerIsNotThereForAndAnswerOthers(Kind kind) {
        Dispatcher dispatcher = dispatcher(List.of(server("a", 1, OptionalLong.empty())), options -> options);
        accept(dispatcher, "poison", "x", 10);
        for (int i = 0; i < 10; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        assertThat(serve(dispatcher, kind, "poison")).isGreaterThan(100);

        assertThat(completions).hasSize(10).doesNotContainKey("poison");
        assertThat(completions.values()).noneMatch(Failed.class::isInstance);
        assertThat(dispatcher.stats().waiting() + dispatcher.stats().running()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"NOT_FOUND", "MISCONFIGURED", "BAD_GATEWAY", "UNAVAILABLE", "CONNECT", "TIMEOUT"})
    void shouldEndNothingWhileAServerAnswersNobody(Kind kind) {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "before", "x", 10);
        for (int i = 0; i < 10; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        firstToken(dispatcher, "before");
        int attempts = 0;
        for (int second = 0; second < 3600; second++) {
            for (String id : List.copyOf(sent.keySet())) {
                if (!id.equals("before")) {
                    clock.advance(Duration.ofMillis(1));
                    end(dispatcher, id, away(kind));
                    attempts++;
                }
            }
            if (second == 10) {
                end(dispatcher, "before", answered()); // what was under way before comes to its end
            }
            tickAfter(dispatcher, Duration.ofSeconds(1));
        }
        assertThat(attempts).isGreaterThan(300);
        assertThat(completions).containsOnlyKeys("before");

        serve(dispatcher, kind);
        assertThat(completions).hasSize(11);
        assertThat(completions.values()).noneMatch(Failed.class::isInstance);
    }

    @Test
    void shouldBlameNoneOfThoseThatFailTogether() {
        Dispatcher dispatcher = dispatcher(
                servers("a"), options -> options.breaker(new RemoteOptions.Breaker(1, 1000, Duration.ofSeconds(1))));
        for (int i = 0; i < 4; i++) {
            accept(dispatcher, "r" + i, "x", 10);
        }
        for (int outage = 0; outage < 5; outage++) {
            assertThat(List.copyOf(sent.keySet())).containsExactly("r0", "r1", "r2", "r3");
            for (String id : List.copyOf(sent.keySet()).reversed()) {
                end(dispatcher, id, away(Kind.BAD_GATEWAY));
            }
            tickAfter(dispatcher, Duration.ofSeconds(1));
            assertThat(sent).containsOnlyKeys("r0");
            firstToken(dispatcher, "r0");
            clock.advance(Duration.ofMillis(10));
        }
        assertThat(completions).isEmpty();
    }

    @Test
    void shouldRefuseAtOnceWhatItsServerHasNoPathFor() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "chat", "x", 10);
        end(dispatcher, "chat", answered());
        accept(dispatcher, "embed", "x", 10, Operation.EMBED);
        accept(dispatcher, "chat2", "x", 10);

        end(dispatcher, "embed", away(Kind.NOT_FOUND));

        assertThat(completions.get("embed")).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).isEqualTo("down");
        });
        assertThat(dispatcher.refusal()).as("the endpoint is as it was").isEmpty();
        accept(dispatcher, "chat3", "x", 10);
        assertThat(sent).containsOnlyKeys("chat2", "chat3");
    }

    @Test
    void shouldGoToAnotherServerForAPathThatOneHasNot() {
        Dispatcher dispatcher = dispatcher(servers("a", "b"), options -> options);
        accept(dispatcher, "chat", "x", 10);
        accept(dispatcher, "embed", "x", 10, Operation.EMBED);
        clock.advance(Duration.ofMillis(1));
        end(dispatcher, "chat", answered());
        end(dispatcher, "embed", answered());
        accept(dispatcher, "embed2", "x", 10, Operation.EMBED);
        assertThat(endpointOf("embed2")).isEqualTo("a");

        end(dispatcher, "embed2", away(Kind.NOT_FOUND));

        assertThat(endpointOf("embed2")).isEqualTo("b");
    }

    @Test
    void shouldLetWhatSteppedAsideGoToAnotherServerThatAnswers() {
        Dispatcher dispatcher = dispatcher(servers("a", "b"), options -> options.maxNumSeqs(2));
        accept(dispatcher, "r0", "x", 10);
        accept(dispatcher, "r1", "x", 10);
        accept(dispatcher, "r2", "x", 10);
        accept(dispatcher, "r3", "x", 10);
        end(dispatcher, "r0", away(Kind.BAD_GATEWAY));
        assertThat(endpointOf("r2")).as("r0 lets others go first").isEqualTo("b");

        clock.advance(Duration.ofMillis(1));
        end(dispatcher, "r1", answered());

        assertThat(endpointOf("r0")).as("until anybody is answered").isEqualTo("b");
    }

    @Test
    void shouldEndWhatStepsAsideLikeAnythingThatWaits() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options);
        accept(dispatcher, "r0", "x", 10);
        end(dispatcher, "r0", away(Kind.BAD_GATEWAY));
        assertThat(dispatcher.stats().waiting()).isEqualTo(1);
        dispatcher.cancel("r0");
        assertThat(completions).containsOnlyKeys("r0");
        assertThat(dispatcher.stats().waiting()).isZero();
        tickAfter(dispatcher, Duration.ofSeconds(9));
        assertThat(sent).isEmpty();

        accept(dispatcher, "r1", "x", 10);
        assertThat(sent).containsOnlyKeys("r1");
        end(dispatcher, "r1", answered());
        assertThat(completions.get("r1")).as("nobody else is to blame").isInstanceOf(Completion.Completed.class);
    }

    @Test
    void shouldKeepThePlaceOfWhatFoundNobody() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options.maxNumSeqs(1));
        accept(dispatcher, "r0", "x", 10);
        accept(dispatcher, "r1", "x", 10);
        end(dispatcher, "r0", away(Kind.CONNECT));
        tickAfter(dispatcher, Duration.ofSeconds(1));

        assertThat(sent).containsOnlyKeys("r0");
    }

    @Test
    void shouldNotBlameARequestForWhatWasUnderWayBeforeItFailed() {
        Dispatcher dispatcher = dispatcher(
                servers("a"), options -> options.breaker(new RemoteOptions.Breaker(1, 1000, Duration.ofSeconds(1))));
        for (int i = 0; i < 6; i++) {
            accept(dispatcher, "old" + i, "x", 10);
        }
        accept(dispatcher, "r", "x", 10);
        for (int i = 0; i < 6; i++) {
            clock.advance(Duration.ofMillis(1));
            end(dispatcher, "r", away(Kind.MISCONFIGURED));
            clock.advance(Duration.ofMillis(1));
            end(dispatcher, "old" + i, answered());
            tickAfter(dispatcher, Duration.ofSeconds(9));
            assertThat(sent).as("a key that was revoked meanwhile").containsKey("r");
        }
    }

    @Test
    void shouldNotBlameARequestThatIsAnsweredItself() {
        Dispatcher dispatcher = dispatcher(
                servers("a"),
                options -> options.retries(
                                new RemoteOptions.Retries(100, 1, Duration.ofMillis(1), Duration.ofMillis(1)))
                        .breaker(new RemoteOptions.Breaker(1, 1000, Duration.ofSeconds(1))));
        accept(dispatcher, "r", "x", 10);
        for (int i = 0; i < 6; i++) {
            clock.advance(Duration.ofMillis(1));
            end(dispatcher, "r", away(Kind.BAD_GATEWAY));
            tickAfter(dispatcher, Duration.ofSeconds(1));
            firstToken(dispatcher, "r");
            end(dispatcher, "r", broken());
            tickAfter(dispatcher, Duration.ofSeconds(1));
            assertThat(sent).containsKey("r");
        }
    }

    @Test
    void shouldEndWhatSteppedAsideAtItsDeadline() {
        Dispatcher dispatcher = dispatcher(servers("a"), options -> options.maxNumSeqs(1));
        Instant deadline = clock.now().plusMillis(100);
        accept(dispatcher, "r", "x", 10, Operation.GENERATE, Optional.of(deadline));
        accept(dispatcher, "in line", "x", 10);
        end(dispatcher, "r", away(Kind.BAD_GATEWAY));
        tickAfter(dispatcher, Duration.ofMillis(100));

        assertThat(completions.get("r"))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.code()).isEqualTo(FailureCode.DEADLINE_EXCEEDED));
        assertThat(dispatcher.stats().waiting()).as("the other").isEqualTo(1);
    }
}
