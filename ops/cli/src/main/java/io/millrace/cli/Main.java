package io.millrace.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code millrace} command. */
@Command(
        name = "millrace",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Prompts in Kafka, answers in Kafka: streaming batch inference, exactly once.")
public final class Main implements Runnable {

    @Mixin
    GlobalOptions options = new GlobalOptions();

    @picocli.CommandLine.Spec
    picocli.CommandLine.Model.@Nullable CommandSpec spec;

    public static void main(String[] args) {
        System.exit(run(Terminal.system(), args));
    }

    /** Runs one command line and returns its exit code. */
    static int run(Terminal terminal, String... args) {
        CommandLine commandLine = commandLine(terminal);
        int code = commandLine.execute(args);
        terminal.out().flush();
        return code;
    }

    static CommandLine commandLine(Terminal terminal) {
        var main = new Main();
        var commandLine = new CommandLine(main);
        commandLine.getCommandSpec().usageMessage().footer(footer());
        commandLine
                .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(false)
                .setUsageHelpWidth(110)
                .setExecutionExceptionHandler((e, command, parsed) -> report(e, main.options.verbose, terminal))
                .setParameterExceptionHandler((e, arguments) -> reportUsage(e, terminal));
        return commandLine;
    }

    /** Called where no command was named. */
    @Override
    public void run() {
        throw new ParameterException(
                java.util.Objects.requireNonNull(spec).commandLine(),
                "no command given, expected=one of those in --help");
    }

    private static String[] footer() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("Exit codes:");
        for (ExitCode code : ExitCode.values()) {
            lines.add("%5d  %s".formatted(code.value, code.meaning));
        }
        lines.add("");
        lines.add(
                "From a checkout, './millrace test' runs all tests and './millrace mvn …' runs Maven on the JDK found.");
        return lines.toArray(String[]::new);
    }

    private static int report(Exception e, boolean verbose, Terminal terminal) {
        terminal.out().flush();
        ExitCode code = Failures.exitCode(e);
        terminal.err().println("millrace: " + Failures.oneLine(e));
        if (verbose) {
            e.printStackTrace(terminal.err());
        } else if (code == ExitCode.INTERNAL) {
            terminal.err().println("This is a bug in millrace; --verbose shows where it is.");
        }
        return code.value;
    }

    private static int reportUsage(ParameterException e, Terminal terminal) {
        var message = new StringBuilder("millrace: " + Failures.oneLine(e));
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getSuggestions().isEmpty()) {
            message.append("; did you mean ")
                    .append(String.join(" or ", unmatched.getSuggestions()))
                    .append('?');
        }
        terminal.err().println(message);
        terminal.err()
                .println("Try '" + e.getCommandLine().getCommandSpec().qualifiedName()
                        + " --help' for more information.");
        return ExitCode.USAGE.value;
    }
}
