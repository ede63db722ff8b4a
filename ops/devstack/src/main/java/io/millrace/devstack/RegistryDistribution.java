package io.millrace.devstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The files of Apicurio Registry, which speaks Confluent's REST interface among others. Maven fetches them once, with whatever
 * repositories it is set up for: they are too large to be a dependency of everybody's build.
 */
public final class RegistryDistribution {

    /** What Maven is asked for. */
    public static final String ARTIFACT = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all";

    /** How much that is, for people who wait for it. */
    public static final int MEGABYTES = 159;

    private static final String FOLDER = "apicurio-registry-3.3.3";
    private static final String JAR = "quarkus-run.jar";

    /** The version that the build uses, too. */
    private static final String UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:unpack";

    private static final Duration LONGEST_FETCH = Duration.ofMinutes(20);
    private static final int MAX_TAIL_LINES = 5;

    /** Where Maven may look. */
    public enum Reach {
        /** In its local repository. */
        THIS_MACHINE,
        /** There, then in those that it is set up for. */
        NETWORK
    }

    private RegistryDistribution() {}

    /** The distribution's folder below {@code home}, if it was fetched. */
    public static Optional<Path> find(Path home) {
        Path folder = home.resolve(FOLDER);
        return Files.isRegularFile(jar(folder)) ? Optional.of(folder) : Optional.empty();
    }

    /**
     * The distribution's folder, fetched if need be. Two that fetch at once do no harm.
     *
     * @param home the cache's folder, which is created if missing
     * @throws RegistryStartException if Maven does not bring it
     */
    public static Path fetch(Path home, Reach reach) throws InterruptedException {
        Optional<Path> found = find(home);
        if (found.isPresent()) {
            return found.get();
        }
        try {
            Files.createDirectories(home);
            Path work = Files.createTempDirectory(home, "." + FOLDER + "-");
            try {
                Path unpacked = work.resolve("unpacked");
                runMaven(work, unpacked, reach);
                requireJar(unpacked);
                moveInto(unpacked, home.resolve(FOLDER));
            } finally {
                BrokerDirectory.deleteTree(work);
            }
            return home.resolve(FOLDER);
        } catch (IOException e) {
            throw new RegistryStartException("folder=" + home + ", expected=a folder that can be written", e);
        }
    }

    static Path jar(Path folder) {
        return folder.resolve(JAR);
    }

    private static void moveInto(Path unpacked, Path folder) throws IOException {
        try {
            Files.move(unpacked, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | java.nio.file.DirectoryNotEmptyException e) {
            requireJar(folder); // another process was quicker
        }
    }

    private static void requireJar(Path folder) {
        if (!Files.isRegularFile(jar(folder))) {
            throw new RegistryStartException("folder=" + folder + ", expected=" + ARTIFACT + " unpacked, with " + JAR);
        }
    }

    private static void runMaven(Path work, Path unpacked, Reach reach) throws IOException, InterruptedException {
        List<String> call = new ArrayList<>(List.of("mvn", "-B", "-ntp"));
        if (reach == Reach.THIS_MACHINE) {
            call.add("-o");
        }
        call.addAll(List.of(UNPACK, "-Dartifact=" + ARTIFACT, "-DoutputDirectory=" + unpacked));
        Path log = work.resolve("maven.log");
        Process process = start(call, work, log);
        try {
            if (!process.waitFor(LONGEST_FETCH.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new RegistryStartException("'" + String.join(" ", call) + "' did not end within "
                        + LONGEST_FETCH.toMinutes() + " minutes");
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().onExit().join();
        }
        if (process.exitValue() != 0) {
            throw new RegistryStartException("'" + String.join(" ", call) + "' ended with status " + process.exitValue()
                    + ", expected=0; it said:\n" + tail(log, line -> line.contains("ERROR")));
        }
    }

    /** In a folder of its own: without a project Maven's plugin leaves marks where it runs. */
    private static Process start(List<String> call, Path work, Path log) {
        ProcessBuilder builder = new ProcessBuilder(call)
                .directory(work.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(log.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment()
                .merge("MAVEN_OPTS", "--sun-misc-unsafe-memory-access=allow", (own, ours) -> ours + " " + own);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new RegistryStartException(
                    "the schema registry is fetched by Maven, and 'mvn' does not run: " + e.getMessage(), e);
        }
    }

    /** The last lines of this kind. */
    static String tail(Path log, Predicate<String> kind) {
        try {
            List<String> lines = Files.readString(log, StandardCharsets.UTF_8)
                    .lines()
                    .filter(kind)
                    .toList();
            return lines.subList(Math.max(0, lines.size() - MAX_TAIL_LINES), lines.size()).stream()
                    .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
