package io.millrace.cli;

import io.millrace.bench.chaos.ChaosPlan;
import java.nio.file.Path;
import java.util.List;

/** {@code millrace process} as the benchmarks start it. */
final class BenchWorker {

    /** For a small model with 64 MiB of KV cache and 16 sequences. */
    private static final List<String> JVM_OPTIONS = List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError");

    private BenchWorker() {}

    /** How a benchmark starts it with this model. */
    static ChaosPlan.Worker with(Path model) {
        return new ChaosPlan.Worker(Main.class.getName(), JVM_OPTIONS, model);
    }
}
