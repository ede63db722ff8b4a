package io.millrace.llm.backend;

/**
 * Runs steps on a device: forward pass and sampling. Steps are launched, run and collected in the same order: a step sees
 * the KV writes of those before it, and a block given to another sequence is overwritten only after their reads.
 *
 * <p>A CPU runner computes in {@link #launch} or {@link #collect} and takes one step at a time; a GPU runner enqueues in
 * {@code launch}, so that the next step can be scheduled while this one runs.
 *
 * <p>Threads: one engine thread calls everything.
 */
public interface StepRunner extends AutoCloseable {

    /** Most steps that may be launched and not yet collected: 1 without overlap, 2 with. */
    int maxStepsInFlight();

    /**
     * Enqueues one step. A step whose launch throws is not in flight.
     *
     * @throws IllegalStateException when {@link #maxStepsInFlight} steps are in flight
     * @throws DeviceOutOfMemoryException when there is no memory for the step
     */
    void launch(StepInput step);

    /**
     * Waits for the oldest step in flight. It is in flight no more, also when this throws; later ones still are.
     *
     * @throws StepFailedException when the step failed; its KV writes are undefined, earlier steps' are intact
     * @throws DeviceOutOfMemoryException when there was no memory for the step, which failed likewise
     * @throws IllegalStateException when none is in flight
     */
    StepOutput collect();

    @Override
    void close();
}
