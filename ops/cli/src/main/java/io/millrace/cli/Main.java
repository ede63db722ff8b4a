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
        addCommands(commandLine, new Session(terminal, main.options));
        helpEverywhere(commandLine);
        commandLine
                .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // a prompt may begin with @
                .setExecutionStrategy(parsed -> {
                    Logging.configure(Logging.Mode.COMMAND, main.options);
                    return new CommandLine.RunLast().execute(parsed);
                })
                .setUsageHelpWidth(110)
                .setExecutionExceptionHandler((e, command, parsed) -> report(e, main.options.verbose, terminal))
                .setParameterExceptionHandler((e, arguments) -> reportUsage(e, terminal));
        return commandLine;
    }

    /** In the order in which a newcomer needs them. */
    private static void addCommands(CommandLine commandLine, Session session) {
        commandLine
                .addSubcommand(new DemoCommand(session))
                .addSubcommand(new DevCommand(session))
                .addSubcommand(new GenerateCommand(session))
                .addSubcommand(new TokenizeCommand(session))
                .addSubcommand(new ChatTemplateCommand(session))
                .addSubcommand(new DoctorCommand(session))
                .addSubcommand(new ProcessCommand(session))
                .addSubcommand(new SubmitCommand(session))
                .addSubcommand(new ResultsCommand(session))
                .addSubcommand(new TopCommand(session))
                .addSubcommand(new RedriveCommand(session))
                .addSubcommand(new ControlCommands.Cancel(session))
                .addSubcommand(new ControlCommands.Pause(session))
                .addSubcommand(new ControlCommands.Resume(session))
                .addSubcommand(group(
                        new TopicsCommand.Group(),
                        new TopicsCommand.Create(session),
                        new TopicsCheckCommand(session),
                        new TopicsGrowCommand(session)))
                .addSubcommand(group(new SinkCommand.Group(), new SinkCommand.Jsonl(session)))
                .addSubcommand(group(
                        new ModelCommand.Group(),
                        new ModelCommand.Pull(session),
                        new ModelCommand.ListModels(session),
                        new ModelCommand.Show(session)))
                .addSubcommand(group(new ConfigCommand.Group(), new ConfigCommand.Validate(session)))
                .addSubcommand(group(
                        new BenchCommand.Group(),
                        new BenchCommand.Engine(session),
                        new BenchPipelineCommand(session),
                        new BenchRemoteCommand(session),
                        BenchChaosCommand.commandLine(session),
                        new BenchSoakCommand(session)));
    }

    private static void helpEverywhere(CommandLine commandLine) {
        for (CommandLine each : commandLine.getSubcommands().values()) {
            each.getCommandSpec().mixinStandardHelpOptions(true);
            each.getCommandSpec().versionProvider(new Version());
            helpEverywhere(each);
        }
    }

    private static CommandLine group(Object command, Object... commands) {
        var group = new CommandLine(command);
        for (Object each : commands) {
            group.addSubcommand(each);
        }
        return group;
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
        Failures.lines(e).forEach(line -> terminal.err().println("millrace: " + line));
        if (verbose) {
            e.printStackTrace(terminal.err());
        } else if (code == ExitCode.INTERNAL) {
            terminal.err().println("This is a bug in millrace; --verbose shows where it is.");
        }
        return code.value;
    }

    private static int reportUsage(ParameterException e, Terminal terminal) {
        var message = new StringBuilder(
                "millrace: " + String.join(" ", Failures.lines(e)).replaceFirst("^Error: ", ""));
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> meant = suggestions(unmatched);
            message.append(meant.isEmpty() ? "" : "; did you mean " + String.join(" or ", meant) + "?");
        }
        terminal.err().println(message);
        terminal.err()
                .println("Try '" + e.getCommandLine().getCommandSpec().qualifiedName()
                        + " --help' for more information.");
        return ExitCode.USAGE.value;
    }

    /** Picocli's guesses that begin like what was typed: it makes some from afar. */
    private static List<String> suggestions(UnmatchedArgumentException unmatched) {
        String typed = unmatched.getUnmatched().getFirst().replaceFirst("^-+", "");
        String start = typed.substring(0, Math.min(2, typed.length()));
        return unmatched.getSuggestions().stream()
                .filter(guess -> guess.replaceFirst("^-+", "").startsWith(start))
                .toList();
    }
}
