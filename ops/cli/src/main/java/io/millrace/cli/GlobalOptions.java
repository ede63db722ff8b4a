package io.millrace.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Options that every command takes. */
final class GlobalOptions {

    /** Form of the log lines on stderr. */
    enum LogFormat {
        text,
        json
    }

    @Option(
            names = "--config",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "YAML configuration (default: ./millrace.yaml if there is one, else built-in defaults).")
    @Nullable
    Path config;

    @Option(
            names = "--bootstrap-server",
            paramLabel = "HOST:PORT",
            scope = ScopeType.INHERIT,
            description = "Kafka, instead of the configuration's kafka.bootstrap.servers.")
    @Nullable
    String bootstrapServer;

    @Option(
            names = "--model-home",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description = "Where models are kept (default: $MILLRACE_HOME, else ~/.cache/millrace).")
    @Nullable
    Path modelHome;

    @Option(
            names = "--log-format",
            paramLabel = "FORMAT",
            scope = ScopeType.INHERIT,
            defaultValue = "text",
            description = "Logs on stderr as ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    LogFormat logFormat = LogFormat.text;

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "More logs, and stack traces of errors.")
    boolean verbose;
}
