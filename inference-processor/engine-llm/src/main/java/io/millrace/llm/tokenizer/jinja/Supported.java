package io.millrace.llm.tokenizer.jinja;

import java.util.Set;

/** The names that exist, so that a template which uses another is refused when it is parsed. */
final class Supported {

    static final Set<String> FUNCTIONS = Set.of("range", "namespace", "dict", "raise_exception", "strftime_now");

    private static final Set<String> FILTERS = Set.of(
            "abs",
            "capitalize",
            "count",
            "d",
            "default",
            "first",
            "float",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "max",
            "min",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "safe",
            "select",
            "selectattr",
            "string",
            "sum",
            "title",
            "tojson",
            "trim",
            "upper");

    private static final Set<String> TESTS = Set.of(
            "boolean",
            "callable",
            "defined",
            "divisibleby",
            "eq",
            "equalto",
            "even",
            "false",
            "float",
            "ge",
            "greaterthan",
            "gt",
            "in",
            "integer",
            "iterable",
            "le",
            "lessthan",
            "lower",
            "lt",
            "mapping",
            "ne",
            "none",
            "number",
            "odd",
            "sameas",
            "sequence",
            "string",
            "true",
            "undefined",
            "upper");

    private static final Set<String> METHODS = Set.of(
            "capitalize",
            "count",
            "cycle",
            "endswith",
            "find",
            "get",
            "index",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isspace",
            "isupper",
            "items",
            "join",
            "keys",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper",
            "values");

    private Supported() {}

    static Expression checkFilter(Expression.Filter filter) {
        check(FILTERS, "filter", filter.name(), filter.position());
        return filter;
    }

    static Expression checkTest(Expression.Test test) {
        check(TESTS, "test", test.name(), test.position());
        return test;
    }

    /** A method's name; a function's is checked when all macros are known. */
    static void checkMethod(String name, Position position) {
        check(METHODS, "method", name, position);
    }

    static void check(Set<String> names, String kind, String name, Position position) {
        if (!names.contains(name)) {
            throw TemplateException.at(position, kind + " '" + name + "' is not supported");
        }
    }

    /** Whether a filter of this name exists, for those that are named by a string. */
    static boolean isFilter(String name) {
        return FILTERS.contains(name);
    }

    static boolean isTest(String name) {
        return TESTS.contains(name);
    }
}
