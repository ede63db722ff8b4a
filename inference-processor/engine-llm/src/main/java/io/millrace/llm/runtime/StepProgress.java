package io.millrace.llm.runtime;

import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.SequenceState;
import java.util.List;
import java.util.Locale;

/**
 * What the device was given last, as other threads may read it while it runs.
 *
 * @param launched steps launched so far
 * @param launchedNanos when the newest was
 * @param collected steps that came back so far
 * @param collectedNanos when the newest of those did
 * @param members of the newest step
 */
record StepProgress(long launched, long launchedNanos, long collected, long collectedNanos, List<Member> members) {

    StepProgress {
        members = List.copyOf(members);
    }

    /** One sequence of a step, as it was at the launch. */
    record Member(String requestId, SequenceState state, int priority, int known, int computed, int start, int count) {

        static Member of(BatchPlan.Item item, String requestId) {
            var sequence = item.sequence();
            return new Member(
                    requestId,
                    sequence.state(),
                    sequence.priority(),
                    sequence.known(),
                    sequence.computed(),
                    item.start(),
                    item.count());
        }

        @Override
        public String toString() {
            return "request " + requestId + ": " + state.name().toLowerCase(Locale.ROOT) + ", priority=" + priority
                    + ", known=" + known + ", computed=" + computed + ", in the step: " + start + " to "
                    + (start + count - 1);
        }
    }

    static StepProgress none(long nowNanos) {
        return new StepProgress(0, nowNanos, 0, nowNanos, List.of());
    }

    StepProgress launched(BatchPlan plan, Device.Requests requests, long nowNanos) {
        List<Member> batch = plan.items().stream()
                .map(item -> Member.of(item, requests.id(item)))
                .toList();
        return new StepProgress(launched + 1, nowNanos, collected, collectedNanos, batch);
    }

    StepProgress collected(long nowNanos) {
        return new StepProgress(launched, launchedNanos, collected + 1, nowNanos, members);
    }

    /** Lines for people. */
    String describe(long nowNanos) {
        StringBuilder lines = new StringBuilder(String.format(
                Locale.ROOT,
                "steps launched: %d, the last %.1f s ago; completed: %d, the last %.1f s ago%n",
                launched,
                (nowNanos - launchedNanos) / 1e9,
                collected,
                (nowNanos - collectedNanos) / 1e9));
        lines.append(String.format("the last step launched has %d sequences%n", members.size()));
        members.forEach(member -> lines.append(String.format("  %s%n", member)));
        return lines.toString();
    }
}
