package io.millrace.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The model a command works on. */
final class ModelOption {

    @Option(
            names = {"-m", "--model"},
            paramLabel = "NAME|FILE",
            description =
                    "A model of the configuration by name, or a GGUF file (default: the configuration's default model).")
    @Nullable
    String model;
}
