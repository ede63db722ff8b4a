package io.millrace.llm.tokenizer.jinja;

import io.millrace.llm.tokenizer.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Expressions from tokens, by recursive descent, in jinja2's order of precedence. */
final class ExpressionParser {

    private static final int MAX_NESTING = 200;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> NO_TEST_ARGUMENT = Set.of("else", "or", "and", "is", "if", "not", "in");

    private final TokenStream tokens;
    private final Map<String, Position> calledNames = new LinkedHashMap<>();
    private int nesting;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several with commas between, which make a tuple. */
    Expression expressions() {
        Position position = tokens.position();
        Expression first = expression();
        return tokens.peekOperator(",") ? tuple(first, position) : first;
    }

    Expression expression() {
        if (++nesting > MAX_NESTING) {
            throw tokens.error("expressions nest deeper than " + MAX_NESTING);
        }
        Position position = tokens.position();
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            Optional<Expression> otherwise = tokens.skipName("else") ? Optional.of(expression()) : Optional.empty();
            value = new Expression.Conditional(condition, value, otherwise, position);
        }
        nesting--;
        return value;
    }

    /** What a loop goes over, or a test: an expression without {@code if}. */
    Expression or() {
        Position position = tokens.position();
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Or(left, and(), position);
        }
        return left;
    }

    private Expression and() {
        Position position = tokens.position();
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.And(left, not(), position);
        }
        return left;
    }

    private Expression not() {
        Position position = tokens.position();
        int count = 0;
        while (tokens.skipName("not")) {
            count++;
        }
        Expression value = comparison();
        return count == 0
                ? value
                : new Expression.Not(count % 2 == 1 ? value : new Expression.Not(value, position), position);
    }

    private Expression comparison() {
        Position position = tokens.position();
        List<Expression> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        for (String operator = comparisonOperator(); !operator.isEmpty(); operator = comparisonOperator()) {
            operators.add(operator);
            operands.add(sum());
        }
        return operators.isEmpty()
                ? operands.getFirst()
                : new Expression.Comparison(List.copyOf(operands), List.copyOf(operators), position);
    }

    /** Takes a comparison's operator, or takes nothing and is empty. */
    private String comparisonOperator() {
        Token token = tokens.peek();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return tokens.next().text();
        }
        if (tokens.skipName("in")) {
            return "in";
        }
        if (token.is(Kind.NAME, "not") && tokens.peekSecond().is(Kind.NAME, "in")) {
            tokens.next();
            tokens.next();
            return "not in";
        }
        return "";
    }

    private Expression sum() {
        Position position = tokens.position();
        Expression left = concatenation();
        while (tokens.peekOperator("+") || tokens.peekOperator("-")) {
            left = new Expression.Binary(left, tokens.next().text(), concatenation(), position);
        }
        return left;
    }

    private Expression concatenation() {
        Position position = tokens.position();
        Expression left = product();
        while (tokens.skipOperator("~")) {
            left = new Expression.Binary(left, "~", product(), position);
        }
        return left;
    }

    private Expression product() {
        Position position = tokens.position();
        Expression left = power();
        while (tokens.peekOperator("*")
                || tokens.peekOperator("/")
                || tokens.peekOperator("//")
                || tokens.peekOperator("%")) {
            left = new Expression.Binary(left, tokens.next().text(), power(), position);
        }
        return left;
    }

    private Expression power() {
        Position position = tokens.position();
        Expression left = filtered(unary());
        while (tokens.skipOperator("**")) {
            left = new Expression.Binary(left, "**", filtered(unary()), position);
        }
        return left;
    }

    /** An operand with its sign; filters and tests apply to the whole of it. */
    private Expression unary() {
        Position position = tokens.position();
        if (tokens.peekOperator("-") || tokens.peekOperator("+")) {
            if (++nesting > MAX_NESTING) {
                throw tokens.error("expressions nest deeper than " + MAX_NESTING);
            }
            String sign = tokens.next().text();
            Expression value = new Expression.Sign(unary(), sign, position);
            nesting--;
            return value;
        }
        return postfix(primary());
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token);
            case STRING -> strings(token);
            case INTEGER -> integer(token);
            case FLOAT -> new Expression.Literal(Double.parseDouble(token.text()), token.position());
            case OPERATOR -> bracketed(token);
            default ->
                throw TemplateException.at(token.position(), "expected an expression, found " + token.describe());
        };
    }

    private static Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Literal(true, token.position());
            case "false", "False" -> new Expression.Literal(false, token.position());
            case "none", "None" -> new Expression.Literal(None.NONE, token.position());
            default -> new Expression.Name(token.text(), token.position());
        };
    }

    /** Strings that follow each other are one. */
    private Expression strings(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (tokens.peek().kind() == Kind.STRING) {
            text.append(tokens.next().text());
        }
        return new Expression.Literal(text.toString(), first.position());
    }

    private static Expression integer(Token token) {
        try {
            return new Expression.Literal(Long.parseLong(token.text()), token.position());
        } catch (NumberFormatException tooLarge) {
            throw TemplateException.at(token.position(), "an integer below 2^63, found " + token.text());
        }
    }

    private Expression bracketed(Token open) {
        return switch (open.text()) {
            case "(" -> parenthesized(open.position());
            case "[" -> new Expression.ListOf(items("]"), open.position());
            case "{" -> dict(open.position());
            default -> throw TemplateException.at(open.position(), "expected an expression, found " + open.describe());
        };
    }

    private Expression parenthesized(Position position) {
        if (tokens.skipOperator(")")) {
            return new Expression.TupleOf(List.of(), position);
        }
        Expression first = expression();
        if (tokens.peekOperator(",")) {
            Expression tuple = tuple(first, position);
            tokens.expectOperator(")");
            return tuple;
        }
        tokens.expectOperator(")");
        return first;
    }

    private Expression tuple(Expression first, Position position) {
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")) {
            Token next = tokens.peek();
            if (next.kind() == Kind.BLOCK_END || next.kind() == Kind.VARIABLE_END || tokens.peekOperator(")")) {
                break;
            }
            items.add(expression());
        }
        return new Expression.TupleOf(List.copyOf(items), position);
    }

    private List<Expression> items(String close) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.skipOperator(close)) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.skipOperator(close)) {
                    break;
                }
            }
            items.add(expression());
        }
        return List.copyOf(items);
    }

    private Expression dict(Position position) {
        List<Map.Entry<Expression, Expression>> items = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.skipOperator("}")) {
                    break;
                }
            }
            Expression key = expression();
            tokens.expectOperator(":");
            items.add(Map.entry(key, expression()));
        }
        return new Expression.DictOf(List.copyOf(items), position);
    }

    private Expression postfix(Expression value) {
        Expression result = value;
        while (true) {
            Position position = tokens.position();
            if (tokens.skipOperator(".")) {
                result = attribute(result, position);
            } else if (tokens.skipOperator("[")) {
                result = subscript(result, position);
            } else if (tokens.peekOperator("(")) {
                result = call(result, position);
            } else {
                return result;
            }
        }
    }

    private Expression call(Expression function, Position position) {
        switch (function) {
            case Expression.Name name -> calledNames.put(name.name(), position);
            case Expression.Attribute method -> Supported.checkMethod(method.name(), position);
            default -> throw TemplateException.at(position, "a call of what is no name is not supported");
        }
        return new Expression.Call(function, arguments(), position);
    }

    /** Functions and macros that are called, and where. */
    Map<String, Position> calledNames() {
        return calledNames;
    }

    private Expression attribute(Expression object, Position position) {
        Token name = tokens.next();
        return switch (name.kind()) {
            case NAME -> new Expression.Attribute(object, name.text(), position);
            case INTEGER -> new Expression.Item(object, integer(name), position);
            default -> throw TemplateException.at(name.position(), "expected a name, found " + name.describe());
        };
    }

    private Expression subscript(Expression object, Position position) {
        Optional<Expression> start = tokens.peekOperator(":") ? Optional.empty() : Optional.of(expression());
        if (tokens.skipOperator("]")) {
            return new Expression.Item(object, start.orElseThrow(), position);
        }
        tokens.expectOperator(":");
        Optional<Expression> stop = slicePart();
        Optional<Expression> step = tokens.skipOperator(":") ? slicePart() : Optional.empty();
        tokens.expectOperator("]");
        return new Expression.Slice(object, start, stop, step, position);
    }

    private Optional<Expression> slicePart() {
        return tokens.peekOperator(":") || tokens.peekOperator("]") ? Optional.empty() : Optional.of(expression());
    }

    private Expression.Args arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.skipOperator(")")) {
            if (!positional.isEmpty() || !named.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.skipOperator(")")) {
                    break;
                }
            }
            argument(positional, named);
        }
        return new Expression.Args(List.copyOf(positional), named);
    }

    private void argument(List<Expression> positional, Map<String, Expression> named) {
        if (tokens.peekOperator("*") || tokens.peekOperator("**")) {
            throw tokens.error("unpacked arguments, * and **, are not supported");
        }
        if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
            String name = tokens.next().text();
            tokens.next();
            if (named.put(name, expression()) != null) {
                throw tokens.error("argument " + name + " twice");
            }
        } else if (named.isEmpty()) {
            positional.add(expression());
        } else {
            throw tokens.error("an argument without a name after named ones");
        }
    }

    /** Filters, tests and calls behind an operand. */
    private Expression filtered(Expression value) {
        Expression result = value;
        while (true) {
            Position position = tokens.position();
            if (tokens.skipOperator("|")) {
                String name = tokens.expectName();
                Expression.Args args = tokens.peekOperator("(") ? arguments() : Expression.Args.NONE;
                result = Supported.checkFilter(new Expression.Filter(result, name, args, position));
            } else if (tokens.skipName("is")) {
                result = test(result, position);
            } else if (tokens.peekOperator("(")) {
                result = call(result, position);
            } else {
                return result;
            }
        }
    }

    private Expression test(Expression value, Position position) {
        boolean negated = tokens.skipName("not");
        String name = tokens.expectName();
        Expression.Args args = Expression.Args.NONE;
        if (tokens.peekOperator("(")) {
            args = arguments();
        } else if (startsTestArgument(tokens.peek())) {
            args = new Expression.Args(List.of(postfix(primary())), Map.of());
        }
        Expression test = Supported.checkTest(new Expression.Test(value, name, args, position));
        return negated ? new Expression.Not(test, position) : test;
    }

    private static boolean startsTestArgument(Token token) {
        return switch (token.kind()) {
            case STRING, INTEGER, FLOAT -> true;
            case NAME -> !NO_TEST_ARGUMENT.contains(token.text());
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }
}
