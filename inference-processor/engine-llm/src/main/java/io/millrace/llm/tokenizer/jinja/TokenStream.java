package io.millrace.llm.tokenizer.jinja;

import io.millrace.llm.tokenizer.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, and where a parser stands in them. The last is END, which is never passed. */
final class TokenStream {

    private final List<Token> tokens;
    private int at;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = peek();
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    Position position() {
        return peek().position();
    }

    boolean peekOperator(String operator) {
        return peek().is(Kind.OPERATOR, operator);
    }

    boolean skipOperator(String operator) {
        return skip(Kind.OPERATOR, operator);
    }

    boolean skipName(String name) {
        return skip(Kind.NAME, name);
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw error("expected '" + operator + "', found " + peek().describe());
        }
    }

    String expectName() {
        if (peek().kind() != Kind.NAME) {
            throw error("expected a name, found " + peek().describe());
        }
        return next().text();
    }

    void expect(Kind kind, String description) {
        if (peek().kind() != kind) {
            throw error("expected " + description + ", found " + peek().describe());
        }
        next();
    }

    TemplateException error(String message) {
        return TemplateException.at(position(), message);
    }

    private boolean skip(Kind kind, String text) {
        if (peek().is(kind, text)) {
            at++;
            return true;
        }
        return false;
    }
}
