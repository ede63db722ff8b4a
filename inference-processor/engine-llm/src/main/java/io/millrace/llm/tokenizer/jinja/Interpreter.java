package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs a template's statements once. */
final class Interpreter {

    /** How a body ended. */
    private enum Flow {
        NEXT,
        CONTINUE,
        BREAK
    }

    private final Budget budget;
    private final Evaluator evaluator;
    private StringBuilder out = new StringBuilder();
    private int loopDepth;

    Interpreter(Budget budget) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget);
    }

    String run(List<Statement> statements, Scope scope) {
        body(statements, scope);
        return out.toString();
    }

    private Flow body(List<Statement> statements, Scope scope) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (int i = 0; i < statements.size() && flow == Flow.NEXT; i++) {
            flow = statement(statements.get(i), scope);
        }
        budget.leave();
        return flow;
    }

    private Flow statement(Statement statement, Scope scope) {
        switch (statement) {
            case Statement.Text text -> print(text.text());
            case Statement.Print print -> print(located(print, () -> evaluator.text(print.value(), scope)));
            case Statement.If branches -> {
                return branch(branches, scope);
            }
            case Statement.For loop -> loop(loop, scope);
            case Statement.Set set ->
                assign(set.target(), located(set, () -> evaluator.value(set.value(), scope)), scope, set);
            case Statement.SetBlock set -> assign(set.target(), captured(set.body(), new Scope(scope)), scope, set);
            case Statement.Macro macro ->
                scope.set(macro.name(), (Callable) arguments -> call(macro, arguments, scope));
            case Statement.Break _ -> {
                return Flow.BREAK;
            }
            case Statement.Continue _ -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private void print(String text) {
        budget.charge(text.length());
        out.append(text);
    }

    private Flow branch(Statement.If branches, Scope scope) {
        for (Statement.Branch branch : branches.branches()) {
            if (located(branches, () -> evaluator.isTrue(branch.condition(), scope))) {
                return body(branch.body(), scope);
            }
        }
        return body(branches.otherwise(), scope);
    }

    private void loop(Statement.For loop, Scope scope) {
        List<Object> items = located(loop, () -> items(loop, scope));
        loopDepth++;
        Flow flow = Flow.NEXT;
        for (int i = 0; i < items.size() && flow != Flow.BREAK; i++) {
            Scope iteration = new Scope(scope);
            iteration.set("loop", new Loop(items, i, loopDepth));
            assign(loop.target(), items.get(i), iteration, loop);
            flow = body(loop.body(), iteration);
        }
        loopDepth--;
        if (items.isEmpty()) {
            body(loop.otherwise(), new Scope(scope));
        }
    }

    private List<Object> items(Statement.For loop, Scope scope) {
        List<Object> items = Values.items(evaluator.value(loop.items(), scope));
        budget.charge(items.size());
        if (loop.condition().isEmpty()) {
            return items;
        }
        List<Object> chosen = new ArrayList<>();
        for (Object item : items) {
            Scope candidate = new Scope(scope);
            assign(loop.target(), item, candidate, loop);
            if (evaluator.isTrue(loop.condition().get(), candidate)) {
                chosen.add(item);
            }
        }
        return chosen;
    }

    private void assign(Statement.Target target, Object value, Scope scope, Statement statement) {
        switch (target) {
            case Statement.Target.Name name -> scope.set(name.name(), value);
            case Statement.Target.Attribute attribute -> {
                if (!(scope.get(attribute.namespace()) instanceof Namespace namespace)) {
                    String message = "cannot assign attribute on non-namespace object '" + attribute.namespace() + "'";
                    throw TemplateException.at(statement.position(), message);
                }
                namespace.attributes().put(attribute.name(), value);
            }
            case Statement.Target.Unpack unpack -> {
                List<Object> values = located(statement, () -> Values.items(value));
                if (values.size() != unpack.targets().size()) {
                    String message =
                            values.size() + " values for " + unpack.targets().size() + " names";
                    throw TemplateException.at(statement.position(), message);
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(unpack.targets().get(i), values.get(i), scope, statement);
                }
            }
        }
    }

    private String captured(List<Statement> statements, Scope scope) {
        StringBuilder outer = out;
        out = new StringBuilder();
        try {
            body(statements, scope);
            return out.toString();
        } finally {
            out = outer;
        }
    }

    private Object call(Statement.Macro macro, Arguments arguments, Scope definition) {
        List<String> names =
                macro.parameters().stream().map(Statement.Parameter::name).toList();
        arguments.check(names.size(), names.toArray(String[]::new));
        Scope scope = new Scope(definition);
        Map<String, Object> given = new LinkedHashMap<>(arguments.named());
        for (int i = 0; i < names.size(); i++) {
            Statement.Parameter parameter = macro.parameters().get(i);
            Object standard = parameter.standard().isPresent()
                    ? evaluator.value(parameter.standard().get(), scope)
                    : new Undefined("parameter '" + parameter.name() + "' was not provided");
            Object named = given.getOrDefault(parameter.name(), standard);
            scope.set(
                    parameter.name(),
                    i < arguments.positional().size() ? arguments.positional().get(i) : named);
        }
        return captured(macro.body(), scope);
    }

    /** Adds the statement's place to an error of its expression; what the template raised itself keeps its own words. */
    private static <T> T located(Statement statement, java.util.function.Supplier<T> evaluation) {
        try {
            return evaluation.get();
        } catch (TemplateException e) {
            if (e.kind() != TemplateException.Cause.TEMPLATE || e.hasPosition()) {
                throw e;
            }
            throw TemplateException.at(statement.position(), e.getMessage());
        }
    }
}
