package io.millrace.cli;

/** What every command has at hand: the terminal and the global options. */
final class Session {

    private final Terminal terminal;
    private final GlobalOptions options;

    Session(Terminal terminal, GlobalOptions options) {
        this.terminal = terminal;
        this.options = options;
    }

    Terminal terminal() {
        return terminal;
    }

    GlobalOptions options() {
        return options;
    }
}
