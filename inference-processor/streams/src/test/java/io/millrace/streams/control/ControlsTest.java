package io.millrace.streams.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.streams.records.PromptIdentity;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which prompts a command touches. */
class ControlsTest {

    private static final PromptIdentity PROMPT =
            new PromptIdentity("request-1", "model", "generate", "tenant-1", "job-1", Map.of());
    private static final PromptIdentity OF_NOBODY =
            new PromptIdentity("request-2", "model", "generate", null, null, Map.of());

    private final Controls controls = new Controls();

    @ParameterizedTest
    @EnumSource(
            value = ControlScope.class,
            names = {"REQUEST", "JOB", "TENANT"})
    void shouldCancelWhatWasAdmittedUpToTheCommandAndNothingLater(ControlScope scope) {
        assertThat(controls.apply(command(ControlAction.CANCEL, scope, 1000))).isEmpty();

        Verdict.Cancelled cancelled = new Verdict.Cancelled(scope.name().toLowerCase(Locale.ROOT) + "="
                + targetOf(scope) + " was cancelled by command_id=c-1000: wrong model");
        assertThat(controls.verdict(PROMPT, 999)).isEqualTo(cancelled);
        assertThat(controls.verdict(PROMPT, 1000)).isEqualTo(cancelled);
        assertThat(controls.verdict(PROMPT, 1001)).isEqualTo(Verdict.PROCEED);
        assertThat(controls.verdict(OF_NOBODY, 999)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldNotTakeTheTargetOfOneScopeForAnother() {
        controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, "request-1", 1000));
        controls.apply(command(ControlAction.PAUSE, ControlScope.TENANT, "job-1", 1000));

        assertThat(controls.verdict(PROMPT, 1)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldKeepTheLaterOfTwoCancelsInWhateverOrderTheyCome() {
        controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, 2000));
        controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, 1000));

        assertThat(controls.verdict(PROMPT, 1500)).isInstanceOf(Verdict.Cancelled.class);
    }

    @Test
    void shouldHoldEarlierAndLaterPromptsOfAPausedTargetUntilItIsResumed() {
        controls.apply(command(ControlAction.PAUSE, ControlScope.JOB, 1000));

        assertThat(controls.verdict(PROMPT, 1)).isEqualTo(new Verdict.Paused("job=job-1"));
        assertThat(controls.verdict(PROMPT, 9999)).isEqualTo(new Verdict.Paused("job=job-1"));

        controls.apply(command(ControlAction.RESUME, ControlScope.JOB, 2000));

        assertThat(controls.verdict(PROMPT, 1)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldHoldAPromptUntilAllThatPausedItAreResumed() {
        controls.apply(command(ControlAction.PAUSE, ControlScope.JOB, 1000));
        controls.apply(command(ControlAction.PAUSE, ControlScope.TENANT, 1000));
        controls.apply(command(ControlAction.RESUME, ControlScope.JOB, 1000));

        assertThat(controls.verdict(PROMPT, 1)).isEqualTo(new Verdict.Paused("tenant=tenant-1"));
    }

    @Test
    void shouldCancelAPausedPrompt() {
        controls.apply(command(ControlAction.PAUSE, ControlScope.JOB, 1000));
        controls.apply(command(ControlAction.CANCEL, ControlScope.REQUEST, 1000));

        assertThat(controls.verdict(PROMPT, 1)).isInstanceOf(Verdict.Cancelled.class);
        assertThat(controls.verdict(PROMPT, 1001)).isInstanceOf(Verdict.Paused.class);
    }

    @Test
    void shouldForgetWhatTheTopicForgets() {
        ControlCommand pause = command(ControlAction.PAUSE, ControlScope.JOB, 1000);
        ControlCommand cancel = command(ControlAction.CANCEL, ControlScope.JOB, 1000);
        controls.apply(pause);
        controls.apply(cancel);

        controls.forget(ControlTopic.key(cancel));
        assertThat(controls.verdict(PROMPT, 1)).isInstanceOf(Verdict.Paused.class);
        controls.forget("no such form");
        controls.forget(ControlTopic.key(pause));
        assertThat(controls.verdict(PROMPT, 1)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldForgetTheCancelIssuedFirstBeyondItsBound() {
        Controls small = new Controls(2);
        small.apply(command(ControlAction.CANCEL, ControlScope.TENANT, 3000));
        small.apply(command(ControlAction.CANCEL, ControlScope.JOB, 1000));
        small.apply(command(ControlAction.CANCEL, ControlScope.JOB, "another", 2000));

        assertThat(small.verdict(PROMPT, 2500)).isInstanceOf(Verdict.Cancelled.class);
        small.forget("tenant:tenant-1:cancel");
        assertThat(small.verdict(PROMPT, 1)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldRefuseAPauseBeyondItsBoundAndSayHowToGoOn() {
        Controls small = new Controls(1);
        small.apply(command(ControlAction.PAUSE, ControlScope.TENANT, 1));

        assertThat(small.apply(command(ControlAction.PAUSE, ControlScope.TENANT, 2)))
                .isEmpty();
        assertThat(small.apply(command(ControlAction.PAUSE, ControlScope.JOB, 1)))
                .contains("pauses=1, expected=fewer than 1: resume targets that need no pause any more");
        assertThat(small.verdict(PROMPT, 1)).isEqualTo(new Verdict.Paused("tenant=tenant-1"));
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() {
        assertThat(controls.apply(command(ControlAction.UNKNOWN, ControlScope.JOB, 1)))
                .contains("action=UNKNOWN, expected=one of CANCEL, PAUSE, RESUME (a newer release may know it)");
        assertThat(controls.apply(command(ControlAction.CANCEL, ControlScope.UNKNOWN, 1)))
                .contains("scope=UNKNOWN, expected=one of REQUEST, JOB, TENANT (a newer release may know it)");
        assertThat(controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, "", 1)))
                .contains("target= of 0 characters, expected=1 to 512");
        assertThat(controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, "x".repeat(513), 1)))
                .contains("target=" + "x".repeat(500) + "… of 513 characters, expected=1 to 512");
        assertThat(controls.verdict(PROMPT, 0)).isEqualTo(Verdict.PROCEED);
    }

    @Test
    void shouldShortenALongReason() {
        controls.apply(command(ControlAction.CANCEL, ControlScope.JOB, "job-1", "y".repeat(100_000), 1000));

        assertThat(controls.verdict(PROMPT, 1))
                .isEqualTo(new Verdict.Cancelled(
                        "job=job-1 was cancelled by command_id=c-1000: " + "y".repeat(500) + "…"));
    }

    @Test
    void shouldGiveAResumeThePausesKeyAndACancelOneOfItsOwn() {
        assertThat(ControlTopic.key(command(ControlAction.CANCEL, ControlScope.REQUEST, 1)))
                .isEqualTo("request:request-1:cancel");
        assertThat(ControlTopic.key(command(ControlAction.PAUSE, ControlScope.JOB, 1)))
                .isEqualTo("job:job-1:pause");
        assertThat(ControlTopic.key(command(ControlAction.RESUME, ControlScope.JOB, 1)))
                .isEqualTo("job:job-1:pause");
    }

    @Test
    void shouldReadAKeyWhoseTargetHasColons() {
        assertThat(ControlTopic.parse("tenant:a:b:pause"))
                .contains(new ControlTopic.Key(
                        new ControlTopic.Target(ControlScope.TENANT, "a:b"), ControlTopic.Kind.PAUSE));
        assertThat(ControlTopic.parse("tenant:pause")).isEmpty();
        assertThat(ControlTopic.parse("nobody:a:pause")).isEmpty();
        assertThat(ControlTopic.parse("job:a:stop")).isEmpty();
        assertThat(ControlTopic.parse("")).isEmpty();
    }

    static String targetOf(ControlScope scope) {
        return switch (scope) {
            case REQUEST -> "request-1";
            case JOB -> "job-1";
            case TENANT -> "tenant-1";
            case UNKNOWN -> "unknown";
        };
    }

    static ControlCommand command(ControlAction action, ControlScope scope, long issuedAtMs) {
        return command(action, scope, targetOf(scope), issuedAtMs);
    }

    static ControlCommand command(ControlAction action, ControlScope scope, String target, long issuedAtMs) {
        return command(action, scope, target, "wrong model", issuedAtMs);
    }

    private static ControlCommand command(
            ControlAction action, ControlScope scope, String target, String reason, long issuedAtMs) {
        return ControlCommand.newBuilder()
                .setCommandId("c-" + issuedAtMs)
                .setAction(action)
                .setScope(scope)
                .setTarget(target)
                .setReason(reason)
                .setIssuedAt(Instant.ofEpochMilli(issuedAtMs))
                .build();
    }
}
