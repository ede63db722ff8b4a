package io.millrace.cli;

import io.millrace.streams.config.ConfigReport;
import io.millrace.streams.config.Problem;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millrace config}: the YAML file. */
final class ConfigCommand {

    private ConfigCommand() {}

    /** Groups the others. */
    @Command(
            name = "config",
            synopsisSubcommandLabel = "COMMAND",
            description = "Checks the configuration.",
            footer = {"", "Example:", "  millrace config validate millrace.yaml"})
    static final class Group {}

    /** {@code config validate}. */
    @Command(
            name = "validate",
            description =
                    "Says what is wrong with a configuration file, by line and column; exit code 3 if it cannot be used.",
            footer = {
                "",
                "Examples:",
                "  millrace config validate",
                "  millrace config validate /etc/millrace/millrace.yaml"
            })
    static final class Validate implements Callable<Integer> {

        private final Session session;

        @Parameters(
                paramLabel = "FILE",
                arity = "0..1",
                description = "The file (default: that of --config, or ./millrace.yaml).")
        @Nullable
        Path file;

        Validate(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() {
            Optional<Path> checked = file == null ? session.configFile() : Optional.of(file);
            if (checked.isEmpty()) {
                throw new CliException(
                        ExitCode.USAGE, "file=absent, expected=a FILE, --config FILE or ./millrace.yaml");
            }
            ConfigReport report = ConfigReport.ofFile(checked.get(), System.getenv());
            for (Problem problem : report.problems()) {
                session.terminal().err().println(problem);
            }
            if (report.config().isEmpty()) {
                return ExitCode.CONFIG.value;
            }
            session.terminal().out().println(checked.get() + ": valid");
            return ExitCode.OK.value;
        }
    }
}
