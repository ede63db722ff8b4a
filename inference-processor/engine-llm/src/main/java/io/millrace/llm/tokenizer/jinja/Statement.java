package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Optional;

/** What a template is made of. */
sealed interface Statement {

    Position position();

    record Text(String text, Position position) implements Statement {}

    record Print(Expression value, Position position) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise, Position position) implements Statement {}

    record Branch(Expression condition, List<Statement> body) {}

    record For(
            Target target,
            Expression items,
            Optional<Expression> condition,
            List<Statement> body,
            List<Statement> otherwise,
            Position position)
            implements Statement {}

    record Set(Target target, Expression value, Position position) implements Statement {}

    /** {@code {% set x %}…{% endset %}}. */
    record SetBlock(Target target, List<Statement> body, Position position) implements Statement {}

    record Macro(String name, List<Parameter> parameters, List<Statement> body, Position position)
            implements Statement {}

    record Parameter(String name, Optional<Expression> standard) {}

    record Break(Position position) implements Statement {}

    record Continue(Position position) implements Statement {}

    /** What is assigned to. */
    sealed interface Target {
        record Name(String name) implements Target {}

        /** An attribute of a namespace. */
        record Attribute(String namespace, String name) implements Target {}

        record Unpack(List<Target> targets) implements Target {}
    }
}
