package io.millrace.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * A folder for one run: gone when it is closed, and when SIGTERM or Ctrl-C ends the JVM, which ends this JVM's child processes first:
 * they would go on writing into it.
 *
 * <p>Threads: one owner; the JVM's hook thread deletes beside it.
 */
final class TemporaryFolder implements AutoCloseable {

    /** What still runs while the JVM goes down finds nothing under the old name, and may make that anew. */
    private static final int MOST_PASSES = 5;

    private final Path path;
    private final Thread hook;

    private TemporaryFolder(Path path) {
        this.path = path;
        this.hook = new Thread(this::deleteAtEnd, "millrace-temporary-folder");
    }

    /** @param prefix of its name, among all temporary files of this machine */
    static TemporaryFolder create(String prefix) throws IOException {
        var folder = new TemporaryFolder(Files.createTempDirectory(prefix));
        Runtime.getRuntime().addShutdownHook(folder.hook);
        return folder;
    }

    Path path() {
        return path;
    }

    /** Leaves it where it is, for who looks for the reason of something. */
    void keep() {
        forget();
    }

    private boolean forget() {
        try {
            return Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return false; // the JVM is going down: the hook runs
        }
    }

    private void deleteAtEnd() {
        CompletableFuture<?>[] ended = ProcessHandle.current()
                .descendants()
                .filter(ProcessHandle::destroyForcibly)
                .map(ProcessHandle::onExit)
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(ended).join();
        try {
            for (int pass = 0; pass < MOST_PASSES && Files.exists(path); pass++) {
                delete(Files.move(path, path.resolveSibling(path.getFileName() + ".deleted")));
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("millrace: folder=" + path + " could not be deleted: " + e);
        }
    }

    /** Deletes it, unless it is kept. */
    @Override
    public void close() throws IOException {
        if (forget()) {
            delete(path);
        }
    }

    /** Deletes a folder with all that is in it. */
    static void delete(Path root) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : deepestFirst) {
            Files.deleteIfExists(file);
        }
    }
}
