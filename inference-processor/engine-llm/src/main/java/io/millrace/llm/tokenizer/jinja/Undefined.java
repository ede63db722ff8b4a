package io.millrace.llm.tokenizer.jinja;

/** What a name or attribute that does not exist has as its value: empty and false, and an error where more is asked of it. */
record Undefined(String name) {

    TemplateException error() {
        return new TemplateException("'" + name + "' is undefined");
    }
}
