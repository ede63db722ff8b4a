package io.millrace.cli;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: ours from the jar's manifest or the build, and the JVM's. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        return new String[] {"millrace " + millrace() + " (Java " + Runtime.version() + ")"};
    }

    static String millrace() {
        try (var in = Version.class.getResourceAsStream("/millrace-version.txt")) {
            return in == null
                    ? "development"
                    : new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).strip();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
