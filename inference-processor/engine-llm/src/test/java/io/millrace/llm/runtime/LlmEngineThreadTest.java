package io.millrace.llm.runtime;

import static io.millrace.llm.runtime.EngineRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What the engine thread does for other threads. */
class LlmEngineThreadTest {

    private static final SamplingParameters SHORT =
            SamplingParameters.builder().ignoreEos(true).maxTokens(5).build();

    @Test
    void shouldAnswerManySubmittersEachOnce() throws Exception {
        EngineRig rig = new EngineRig(2, EngineRig.ROOMY, 1000);
        Map<String, Completion> completions = new ConcurrentHashMap<>();
        AtomicInteger doubled = new AtomicInteger();
        rig.engine.start();
        try (ExecutorService submitters = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 400; i++) {
                String id = "r" + i;
                submitters.execute(() -> rig.engine.submit(request(id, "abc", SHORT), completion -> {
                    if (completions.put(id, completion) != null) {
                        doubled.incrementAndGet();
                    }
                }));
            }
        }
        await().until(() -> completions.size() == 400);
        assertThat(completions.values())
                .allSatisfy(completion -> assertThat(completion).isInstanceOf(Completed.class));
        assertThat(doubled).hasValue(0);
        assertThat(rig.engine.stats().running()).isZero();
        rig.engine.close();
        assertThat(rig.runner.closed).isTrue();
    }

    @Test
    void shouldTellItIsUnhealthyAndCompleteNothingAfterAnUnexpectedError() {
        EngineRig rig = new EngineRig(1);
        rig.runner.failsToLaunch = () -> {
            throw new AssertionError("our own bug");
        };
        assertThat(rig.submit(request("a", "abc", SHORT))).isEmpty();
        assertThat(rig.engine.stats().healthy()).isTrue();

        rig.engine.start();

        await().until(() -> !rig.engine.stats().healthy());
        assertThat(rig.completions).isEmpty();
        assertThat(rig.submit(request("b", "abc", SHORT)))
                .contains(new Rejection(Rejection.Reason.UNAVAILABLE, "the engine has failed; its log says why"));
        rig.engine.close();
        assertThat(rig.runner.closed).isTrue();
        assertThat(rig.completions).isEmpty();
    }

    @Test
    void shouldBeUnhealthyAndCompleteNothingWhenTheDeviceIsBrokenForGood() {
        EngineRig rig = new EngineRig(2);
        rig.runner.failsToCollect = () -> true;
        rig.submit(request("a", "abc", SHORT));
        rig.submit(request("b", "abc", SHORT));
        assertThat(rig.engine.isBroken()).isFalse();

        rig.engine.start();

        await().until(() -> !rig.engine.stats().healthy());
        assertThat(rig.engine.isBroken()).isTrue();
        assertThat(rig.completions).isEmpty();
        assertThat(rig.engine.stats().running() + rig.engine.stats().waiting()).isEqualTo(2);
        rig.engine.close();
        assertThat(rig.runner.closed).isTrue();
    }

    @Test
    void shouldTellWhatItIsAtWhileAStepHangs() throws Exception {
        EngineRig rig = new EngineRig(1);
        CountDownLatch hanging = new CountDownLatch(1);
        CompletableFuture<Void> release = new CompletableFuture<>();
        rig.runner.onLaunch = step -> {
            if (step.items().getFirst().start() > 3) {
                hanging.countDown();
                release.join();
            }
        };
        rig.submit(request("a", "abc", SHORT));
        rig.submit(request("b", "abcde", SHORT));
        rig.engine.start();
        hanging.await();
        rig.clock.advance(90_000_000_000L);

        assertThat(rig.engine.describe())
                .contains("EngineStats[healthy=true, running=2, waiting=0")
                .contains("steps launched: 3, the last 90.0 s ago; completed: 2, the last 90.0 s ago")
                .contains("the last step launched has 2 sequences")
                .contains("  request a: running, priority=0, known=5, computed=4, in the step: 4 to 4")
                .contains("  request b: running, priority=0, known=7, computed=6, in the step: 6 to 6");

        release.complete(null);
        rig.engine.close();
    }

    @Test
    void shouldCallNoCallbackAfterClose() throws Exception {
        EngineRig rig = new EngineRig(2);
        AtomicInteger called = new AtomicInteger();
        CountDownLatch running = new CountDownLatch(1);
        rig.runner.failsToCollect = () -> {
            running.countDown();
            return false;
        };
        for (int i = 0; i < 50; i++) {
            rig.engine.submit(
                    request("r" + i, "abc", SHORT.toBuilder().maxTokens(40).build()),
                    completion -> called.incrementAndGet());
        }
        rig.engine.start();
        running.await();

        rig.engine.close();

        int atClose = called.get();
        assertThat(rig.runner.closed).isTrue();
        assertThat(rig.submit(request("late", "abc", SHORT)))
                .contains(new Rejection(Rejection.Reason.CLOSED, "the engine is closed"));
        assertThat(rig.engine.stats().healthy()).isFalse();
        rig.engine.close();
        assertThat(called).hasValue(atClose);
    }

    @Test
    void shouldCloseFromWithinACallback() {
        EngineRig rig = new EngineRig(1);
        rig.engine.submit(request("a", "abc", SHORT), completion -> rig.engine.close());
        rig.engine.start();
        await().until(() -> rig.runner.closed);
    }

    @Test
    void shouldWakeForACancellationOrARequestWhenIdle() {
        EngineRig rig = new EngineRig(1);
        Map<String, Completion> completions = new ConcurrentHashMap<>();
        rig.engine.start();
        for (String id : List.of("a", "b", "c")) {
            rig.engine.submit(request(id, "abc", SHORT), completion -> completions.put(id, completion));
            await().until(() -> completions.containsKey(id));
        }
        rig.engine.close();
    }
}
