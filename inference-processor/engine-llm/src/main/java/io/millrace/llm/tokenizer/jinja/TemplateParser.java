package io.millrace.llm.tokenizer.jinja;

import io.millrace.llm.tokenizer.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A template's statements from its tokens. */
final class TemplateParser {

    private static final int MAX_NESTING = 100;

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private final Set<String> macros = new HashSet<>();
    private int nesting;
    private int loops;

    private TemplateParser(String source) {
        tokens = new TokenStream(Lexer.tokens(source));
        expressions = new ExpressionParser(tokens);
    }

    static List<Statement> parse(String source) {
        TemplateParser parser = new TemplateParser(source);
        List<Statement> statements = parser.body(Set.of());
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.error("unexpected " + parser.tokens.peek().describe());
        }
        Set<String> functions = new HashSet<>(Supported.FUNCTIONS);
        functions.addAll(parser.macros);
        parser.expressions
                .calledNames()
                .forEach((name, position) -> Supported.check(functions, "function", name, position));
        return statements;
    }

    /** Statements up to a tag of one of these names, whose name is then next, or to the end of the template. */
    private List<Statement> body(Set<String> ends) {
        if (++nesting > MAX_NESTING) {
            throw tokens.error("blocks nest deeper than " + MAX_NESTING);
        }
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.text(), token.position()));
                case VARIABLE_BEGIN -> {
                    statements.add(new Statement.Print(expressions.expressions(), token.position()));
                    tokens.expect(Kind.VARIABLE_END, "'}}'");
                }
                case BLOCK_BEGIN -> {
                    if (tokens.peek().kind() == Kind.NAME
                            && ends.contains(tokens.peek().text())) {
                        nesting--;
                        return List.copyOf(statements);
                    }
                    statement(token.position(), statements);
                }
                case END -> {
                    if (!ends.isEmpty()) {
                        throw TemplateException.at(
                                token.position(), "expected one of " + sorted(ends) + ", found the end");
                    }
                    nesting--;
                    return List.copyOf(statements);
                }
                default -> throw TemplateException.at(token.position(), "unexpected " + token.describe());
            }
        }
    }

    private static List<String> sorted(Set<String> names) {
        return names.stream().sorted().toList();
    }

    private void statement(Position position, List<Statement> statements) {
        Token tag = tokens.peek();
        String name = tokens.expectName();
        switch (name) {
            case "if" -> statements.add(ifStatement(position));
            case "for" -> statements.add(forStatement(position));
            case "set" -> statements.add(setStatement(position));
            case "macro" -> statements.add(macro(position));
            case "break", "continue" -> statements.add(loopControl(tag));
            case "generation" -> {
                endTag();
                statements.addAll(body(Set.of("endgeneration")));
                tokens.next();
                endTag();
            }
            default -> throw TemplateException.at(tag.position(), "tag '" + name + "' is not supported here");
        }
    }

    private void endTag() {
        tokens.expect(Kind.BLOCK_END, "'%}'");
    }

    private Statement ifStatement(Position position) {
        List<Statement.Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        String tag = "if";
        while (!tag.equals("endif")) {
            if (tag.equals("else")) {
                endTag();
                otherwise = body(Set.of("endif"));
            } else {
                Expression condition = expressions.expressions();
                endTag();
                branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"))));
            }
            tag = tokens.expectName();
        }
        endTag();
        return new Statement.If(List.copyOf(branches), otherwise, position);
    }

    private Statement forStatement(Position position) {
        Statement.Target target = target();
        if (!tokens.skipName("in")) {
            throw tokens.error("expected 'in', found " + tokens.peek().describe());
        }
        Expression items = expressions.or();
        Optional<Expression> condition =
                tokens.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        endTag(); // which refuses 'recursive'
        loops++;
        List<Statement> body = body(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.expectName().equals("else")) {
            endTag();
            otherwise = body(Set.of("endfor"));
            tokens.next();
        }
        endTag();
        return new Statement.For(target, items, condition, body, otherwise, position);
    }

    private Statement setStatement(Position position) {
        Statement.Target target = target();
        if (tokens.skipOperator("=")) {
            Expression value = expressions.expressions();
            endTag();
            return new Statement.Set(target, value, position);
        }
        endTag(); // which refuses filters
        List<Statement> body = body(Set.of("endset"));
        tokens.next();
        endTag();
        return new Statement.SetBlock(target, body, position);
    }

    private Statement.Target target() {
        List<Statement.Target> targets = new ArrayList<>(List.of(singleTarget()));
        while (tokens.skipOperator(",")) {
            targets.add(singleTarget());
        }
        return targets.size() == 1 ? targets.getFirst() : new Statement.Target.Unpack(List.copyOf(targets));
    }

    private Statement.Target singleTarget() {
        if (tokens.skipOperator("(")) {
            Statement.Target inner = target();
            tokens.expectOperator(")");
            return inner;
        }
        String name = tokens.expectName();
        return tokens.skipOperator(".")
                ? new Statement.Target.Attribute(name, tokens.expectName())
                : new Statement.Target.Name(name);
    }

    private Statement macro(Position position) {
        String name = tokens.expectName();
        macros.add(name);
        tokens.expectOperator("(");
        List<Statement.Parameter> parameters = new ArrayList<>();
        while (!tokens.skipOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            String parameter = tokens.expectName();
            Optional<Expression> standard =
                    tokens.skipOperator("=") ? Optional.of(expressions.expression()) : Optional.empty();
            parameters.add(new Statement.Parameter(parameter, standard));
        }
        endTag();
        int outerLoops = loops;
        loops = 0;
        List<Statement> body = body(Set.of("endmacro"));
        loops = outerLoops;
        tokens.next();
        endTag();
        return new Statement.Macro(name, List.copyOf(parameters), body, position);
    }

    private Statement loopControl(Token tag) {
        if (loops == 0) {
            throw TemplateException.at(tag.position(), "'" + tag.text() + "' outside of a loop");
        }
        endTag();
        return tag.text().equals("break")
                ? new Statement.Break(tag.position())
                : new Statement.Continue(tag.position());
    }
}
