package io.millrace.llm.scheduler;

import io.millrace.llm.backend.StepRunner;
import java.util.logging.Logger;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Proof that the architecture test fails where it should; no part of the product. */
public final class ImportsWhatASchedulerMustNot {
    @Nullable
    StepRunner backend;

    @Nullable
    TopicPartition kafka;

    @Nullable
    Logger logging;
}
