package io.millrace.llm.runtime;

import io.millrace.llm.backend.DeviceOutOfMemoryException;
import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.runtime.StepResult.Broken;
import io.millrace.llm.runtime.StepResult.ItemResult;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Scheduler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of a failed step's sequences: only one at fault is lost, and none for a fault of the device.
 *
 * <p><b>Bisection.</b> The halves of a failed batch run again, then the halves of a half that fails, down to one sequence:
 * with k at fault among n, at most 2 k log₂ n steps. Those that fail alone are suspects, and requeued: they get other blocks
 * and another slot, and leave room for the <b>probe</b>, a step of one token of no request. Where that fails too, the device is at
 * fault and nobody is blamed. Where it completes, each suspect has failed alone; the {@value #FAILURES_OF_A_CULPRIT}nd time
 * without a token in between it is at fault. So it takes two outages of the device, each ending just before a probe and both
 * before the next token, to blame an innocent one; a device that fails everything never does, not with one prompt in flight
 * either.
 *
 * <p>After {@value #ROUNDS_OF_A_BROKEN_DEVICE} rounds in a row without a completed step the device is broken for good.
 *
 * <p><b>Memory.</b> Where a step found none, all that runs is requeued and steps shrink ({@link io.millrace.llm.scheduler.StepBudget}).
 * A sequence that exhausts memory in a step of one token is a suspect like those above.
 *
 * <p>Threads: the engine thread owns it.
 */
final class StepFaults {

    private static final Logger log = LoggerFactory.getLogger(StepFaults.class);

    static final int FAILURES_OF_A_CULPRIT = 2;
    static final int ROUNDS_OF_A_BROKEN_DEVICE = 3;

    private final Device device;
    private final Scheduler scheduler;
    private int brokenRounds; // since a step completed, a probe or any other

    StepFaults(Device device, Scheduler scheduler) {
        this.device = device;
        this.scheduler = scheduler;
    }

    /** A step completed as planned. */
    void stepCompleted() {
        brokenRounds = 0;
        scheduler.budget().stepCompleted();
    }

    /**
     * Saves what can be saved of a failed step, with none in flight.
     *
     * @return what counts: tokens computed meanwhile, and sequences at fault; who is in neither runs again later
     * @throws StepFailedException when the device is broken for good
     */
    List<ItemResult> resolve(BatchPlan failed, RuntimeException cause) {
        failed.items().forEach(scheduler::rollBack);
        Round round = new Round(failed);
        if (cause instanceof DeviceOutOfMemoryException exhausted) {
            round.memoryExhausted(exhausted);
        } else {
            round.bisect(cause);
        }
        round.judge();
        return round.results;
    }

    /** One failed step. */
    private final class Round {
        private final BatchPlan failed;
        private final Map<BatchPlan.Item, RuntimeException> suspects = new LinkedHashMap<>();
        private final List<ItemResult> results = new ArrayList<>();

        Round(BatchPlan failed) {
            this.failed = failed;
        }

        void bisect(RuntimeException cause) {
            log.warn(
                    "a step of {} sequences failed, it is bisected: {}",
                    failed.items().size(),
                    cause.toString());
            try {
                List<BatchPlan.Item> items =
                        failed.items().stream().filter(scheduler::isCurrent).toList();
                if (items.size() == 1) {
                    runAgain(items); // else one failed launch would make a suspect, here only
                } else {
                    search(items, cause);
                }
            } catch (DeviceOutOfMemoryException e) {
                memoryExhausted(e);
            }
        }

        /** Narrows down what failed as one step. */
        private void search(List<BatchPlan.Item> items, RuntimeException cause) {
            if (items.size() == 1) {
                suspects.put(items.getFirst(), cause);
            } else {
                int half = items.size() / 2;
                runAgain(items.subList(0, half));
                runAgain(items.subList(half, items.size()));
            }
        }

        private void runAgain(List<BatchPlan.Item> items) {
            if (items.isEmpty()) {
                return;
            }
            BatchPlan plan = scheduler.planAgain(items);
            try {
                device.launch(plan);
                results.addAll(device.collect(plan));
                brokenRounds = 0;
            } catch (DeviceOutOfMemoryException e) {
                throw e;
            } catch (RuntimeException e) {
                plan.items().forEach(scheduler::rollBack);
                search(plan.items(), e);
            }
        }

        void memoryExhausted(DeviceOutOfMemoryException cause) {
            suspects.clear(); // they run again
            if (scheduler.budget().isSmallest()) {
                failed.items().stream().filter(scheduler::isCurrent).forEach(item -> suspects.put(item, cause));
            } else {
                scheduler.budget().shrink();
            }
            scheduler.requeueAll();
            log.warn(
                    "a step of {} sequences and {} tokens exhausted memory, all wait to run in steps of at most {} tokens: {}",
                    failed.items().size(),
                    failed.tokenCount(),
                    scheduler.budget().tokens(),
                    cause.toString());
        }

        /** The suspects are requeued whoever is at fault. */
        void judge() {
            if (suspects.isEmpty()) {
                return;
            }
            suspects.keySet().stream().filter(scheduler::isCurrent).forEach(item -> scheduler.requeue(item.sequence()));
            try {
                device.probe();
            } catch (RuntimeException e) {
                deviceFailed(e);
                return;
            }
            brokenRounds = 0;
            suspects.forEach((item, cause) -> {
                if (item.sequence().failedAlone() >= FAILURES_OF_A_CULPRIT) {
                    log.warn("{} is at fault", item.sequence(), cause);
                    results.add(new Broken(item, cause));
                }
            });
        }

        private void deviceFailed(RuntimeException cause) {
            brokenRounds++;
            if (brokenRounds >= ROUNDS_OF_A_BROKEN_DEVICE) {
                throw new StepFailedException(
                        "the device failed " + brokenRounds + " steps in a row, those of a single token too", cause);
            }
            log.warn(
                    "the device fails a step of a single token, {} suspects run again: {}",
                    suspects.size(),
                    cause.toString());
        }
    }
}
