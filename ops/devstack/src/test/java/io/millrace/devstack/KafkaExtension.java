package io.millrace.devstack;

import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests their {@link TestKafka} parameter; see {@link WithKafka}. */
public final class KafkaExtension implements ExecutionCondition, ParameterResolver {

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return evaluate(KafkaChoice.current(), ContainerKafka::obstacle);
    }

    static ConditionEvaluationResult evaluate(KafkaChoice choice, Supplier<Optional<String>> containerObstacle) {
        if (choice == KafkaChoice.EMBEDDED) {
            return ConditionEvaluationResult.enabled("the embedded broker runs anywhere");
        }
        return containerObstacle
                .get()
                .map(ConditionEvaluationResult::disabled)
                .orElseGet(() -> ConditionEvaluationResult.enabled("Docker answers"));
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == TestKafka.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return TestKafka.shared();
    }
}
