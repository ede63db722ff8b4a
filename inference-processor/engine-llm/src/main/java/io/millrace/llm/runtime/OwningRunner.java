package io.millrace.llm.runtime;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;

/** A runner that takes its backend along when it is closed. */
record OwningRunner(StepRunner runner, Backend backend) implements StepRunner {

    @Override
    public int maxStepsInFlight() {
        return runner.maxStepsInFlight();
    }

    @Override
    public void launch(StepInput step) {
        runner.launch(step);
    }

    @Override
    public StepOutput collect() {
        return runner.collect();
    }

    @Override
    public void close() {
        try (backend) {
            runner.close();
        }
    }
}
