package io.millrace.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The files of this checkout: those git tracks or would track; without git, all that is not built. */
public final class Checkout {
    private final Path root;

    private Checkout(Path root) {
        this.root = root;
    }

    public static Checkout find() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve("millrace")) && Files.exists(at.resolve("schemas"))) {
                return new Checkout(at);
            }
        }
        throw new IllegalStateException("directory=" + Path.of("").toAbsolutePath() + ", expected=inside a checkout");
    }

    public Path root() {
        return root;
    }

    /** Paths from the root, with slashes. */
    public List<String> files() {
        return Files.exists(root.resolve(".git")) ? fromGit() : fromDisk();
    }

    private List<String> fromGit() {
        try {
            Process git = new ProcessBuilder(
                            "git",
                            "-C",
                            root.toString(),
                            "ls-files",
                            "-z",
                            "--cached",
                            "--others",
                            "--exclude-standard")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String names = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (git.waitFor() != 0) {
                throw new IllegalStateException("git ls-files=" + git.exitValue() + ", expected=0");
            }
            return Arrays.stream(names.split("\0"))
                    .filter(name -> Files.isRegularFile(root.resolve(name)))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("git", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private List<String> fromDisk() {
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString().replace('\\', '/'))
                    .filter(name -> !("/" + name).contains("/target/") && !("/" + name).contains("/."))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public byte[] read(String name) {
        try {
            return Files.readAllBytes(root.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    public String text(String name) {
        return new String(read(name), StandardCharsets.UTF_8);
    }
}
