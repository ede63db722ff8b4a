package io.millrace.llm.model;

import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.DeviceOutOfMemoryException;
import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.sampler.SampledToken;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs steps of one model on a backend that computes when it is called (one step in flight). All items of a step go through one forward pass.
 *
 * <p>Threads: one engine thread calls everything.
 */
public final class ModelRunner implements StepRunner {

    private final Forward forward;
    private final LoadedModel model;
    private final StepValidator validator;
    private @Nullable StepInput launched;

    /**
     * Allocates activations and KV cache by {@code limits}.
     *
     * @throws IllegalArgumentException where the backend can't hold them
     */
    public ModelRunner(LoadedModel model, RunnerLimits limits) {
        this.model = model;
        this.forward = new Forward(model, limits);
        this.validator = new StepValidator(model.config(), limits);
    }

    @Override
    public int maxStepsInFlight() {
        return 1;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException where the step breaks its contract or the limits
     */
    @Override
    public void launch(StepInput step) {
        if (launched != null) {
            throw new IllegalStateException("steps in flight=2, expected=at most 1");
        }
        validator.check(step);
        launched = step;
    }

    @Override
    public StepOutput collect() {
        StepInput step = launched;
        if (step == null) {
            throw new IllegalStateException("steps in flight=0, expected=1");
        }
        launched = null;
        try {
            return run(step);
        } catch (DeviceOutOfMemoryException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new StepFailedException(
                    "step of " + step.items().size() + " items and " + step.tokenCount() + " tokens failed: "
                            + e.getMessage(),
                    e);
        }
    }

    private StepOutput run(StepInput step) {
        Batch batch = Batch.of(step);
        Tensor logits = forward.run(batch);
        List<SampledToken> sampled =
                batch.sampledCount() == 0 ? List.of() : model.backend().ops().sample(batch, logits);
        return new StepOutput(sampled);
    }

    /** Forgets a step in flight. The model and its backend stay open: they belong to whoever loaded them. */
    @Override
    public void close() {
        launched = null;
    }
}
