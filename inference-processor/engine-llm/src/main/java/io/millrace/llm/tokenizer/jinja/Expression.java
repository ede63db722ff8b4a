package io.millrace.llm.tokenizer.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What has a value. */
sealed interface Expression {

    Position position();

    record Literal(Object value, Position position) implements Expression {}

    record Name(String name, Position position) implements Expression {}

    record ListOf(List<Expression> items, Position position) implements Expression {}

    record TupleOf(List<Expression> items, Position position) implements Expression {}

    record DictOf(List<Map.Entry<Expression, Expression>> items, Position position) implements Expression {}

    /** {@code object.name}: a method or attribute, else an item. */
    record Attribute(Expression object, String name, Position position) implements Expression {}

    /** {@code object[key]}: an item, else, for a string key, an attribute. */
    record Item(Expression object, Expression key, Position position) implements Expression {}

    record Slice(
            Expression object,
            Optional<Expression> start,
            Optional<Expression> stop,
            Optional<Expression> step,
            Position position)
            implements Expression {}

    record Call(Expression function, Args args, Position position) implements Expression {}

    record Filter(Expression value, String name, Args args, Position position) implements Expression {}

    record Test(Expression value, String name, Args args, Position position) implements Expression {}

    record Not(Expression value, Position position) implements Expression {}

    record Sign(Expression value, String operator, Position position) implements Expression {}

    /** Arithmetic and {@code ~}. */
    record Binary(Expression left, String operator, Expression right, Position position) implements Expression {}

    record And(Expression left, Expression right, Position position) implements Expression {}

    record Or(Expression left, Expression right, Position position) implements Expression {}

    /** {@code a < b <= c}: operators between operands, one fewer than those. */
    record Comparison(List<Expression> operands, List<String> operators, Position position) implements Expression {}

    record Conditional(Expression condition, Expression then, Optional<Expression> otherwise, Position position)
            implements Expression {}

    /** Arguments of a call, not yet evaluated. */
    record Args(List<Expression> positional, Map<String, Expression> named) {
        static final Args NONE = new Args(List.of(), Map.of());
    }
}
