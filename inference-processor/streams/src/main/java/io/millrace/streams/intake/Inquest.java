package io.millrace.streams.intake;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a process that marked a prompt to run alone has died, or lives and has only lost the prompt's task: a rebalance, or
 * a transaction that took too long. A process that lives is in the group, or back in it at once, with a new thread even.
 *
 * <p>Threads: any opens one; intake threads look. No state but in what waits for the next look, which a closed lease ends.
 */
final class Inquest {

    private static final Logger LOG = LoggerFactory.getLogger(Inquest.class);

    private static final int LOOKS = 6;

    private final GroupMembers members;
    private final IntakeThreads threads;
    private final GateSwitch gate;

    Inquest(GroupMembers members, IntakeThreads threads, GateSwitch gate) {
        this.members = members;
        this.threads = threads;
        this.gate = gate;
    }

    /** Finds out about the process that a prompt's mark names, and tells its lease. */
    void open(Work work) {
        look(work, work.prompt().aloneIn().orElseThrow(), OptionalLong.empty());
    }

    /** @param missingSince nanoseconds; empty where it was not missing at the last look */
    private void look(Work work, UUID process, OptionalLong missingSince) {
        if (work.lease().isOpen()) {
            var _ = members.has(process)
                    .whenComplete((found, error) ->
                            threads.execute(() -> conclude(work, process, missingSince, found, error)));
        }
    }

    // a stage that failed has no value
    @SuppressWarnings("NullAway")
    private void conclude(
            Work work, UUID process, OptionalLong missingSince, Optional<Boolean> found, Throwable error) {
        if (error != null) {
            LOG.warn(
                    "whether the process that ran {} alone lives is not known yet: {}",
                    work.origin().id(),
                    error.toString());
        }
        boolean known = error == null && found.isPresent();
        if (known && found.get()) {
            tell(work, TaskLease.Fate.ALIVE);
            return;
        }
        long now = threads.nanoTime();
        OptionalLong since = known ? OptionalLong.of(missingSince.orElse(now)) : OptionalLong.empty();
        if (known && now - since.getAsLong() >= members.absence().toNanos()) {
            tell(work, TaskLease.Fate.DEAD);
        } else {
            threads.after(members.absence().dividedBy(LOOKS), () -> look(work, process, since));
        }
    }

    private void tell(Work work, TaskLease.Fate fate) {
        work.lease().tell(new TaskLease.Notice.Judged(work, fate));
        gate.ring();
    }
}
