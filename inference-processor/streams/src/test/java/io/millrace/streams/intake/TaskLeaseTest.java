package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class TaskLeaseTest {

    static final Outcome OUTCOME = new Outcome(List.of(), "stop", null, null, Optional.empty(), Optional.empty());

    private final TaskLease lease = lease();
    private final Work work = work(lease);

    @Test
    void shouldHandOverEndingsInOrder() {
        Work second = work(lease);
        lease.settle(work, OUTCOME);
        lease.settle(second, OUTCOME);

        assertThat(lease.poll()).isEqualTo(new TaskLease.Settled(work, OUTCOME));
        assertThat(lease.poll()).isEqualTo(new TaskLease.Settled(second, OUTCOME));
        assertThat(lease.poll()).isNull();
    }

    @Test
    void shouldHandOverNothingOnceClosed() {
        lease.settle(work, OUTCOME);
        lease.close();
        lease.settle(work, OUTCOME);

        assertThat(lease.poll()).isNull();
        assertThat(lease.isOpen()).isFalse();
    }

    @Test
    void shouldNameTheSamePromptDifferentlyInEachLife() {
        TaskLease next = lease();

        assertThat(work(next).engineId()).isNotEqualTo(work.engineId());
        assertThat(work(next).seed()).isEqualTo(work.seed());
    }

    private static TaskLease lease() {
        return new TaskLease(
                "0_3", new Runs(Duration.ZERO, new NoThreads(), ProcessorObserver.NONE), TaskLease.Decision.NONE);
    }

    private static Work work(TaskLease lease) {
        PendingPrompt prompt = PendingPrompt.admitted(null, new Payload.Absent(), List.of(), 1, 2);
        return new Work(lease, new PendingKey(Uuid.ONE_UUID, 3, 8), prompt, "prompts", 0);
    }

    private static final class NoThreads implements IntakeThreads {

        @Override
        public void execute(Runnable task) {}

        @Override
        public void after(Duration delay, Runnable task) {}

        @Override
        public void close() {}
    }
}
