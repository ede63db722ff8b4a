package io.millrace.modelstore;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Writing to the cache, with errors that name the path and the remedy. */
final class Disk {
    /** Left free beyond a file's own size, for records and for the rest of the machine. */
    private static final long RESERVE_BYTES = 16L << 20;

    private Disk() {}

    static void createFolder(Path folder) throws ModelStoreException {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw explain(folder, e);
        }
    }

    /** Refuses what cannot fit before it is fetched. */
    static void requireSpace(Path folder, long neededBytes) throws IOException {
        long freeBytes = Files.getFileStore(folder).getUsableSpace();
        if (freeBytes - RESERVE_BYTES < neededBytes) {
            throw new ModelStoreException("free space of " + folder + "=" + freeBytes + " bytes, expected="
                    + (neededBytes + RESERVE_BYTES) + " or more; free some, or set MILLRACE_HOME to a larger disk");
        }
    }

    static void moveInto(Path from, Path to) throws ModelStoreException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw explain(to, e);
        }
    }

    static long sizeOf(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /** Bytes of all files below a folder, some of which may come and go meanwhile. */
    static long treeSize(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }

    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> files = Files.walk(folder)) {
            deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }

    static ModelStoreException explain(Path path, IOException cause) {
        if (cause instanceof ModelStoreException explained) {
            return explained;
        }
        String what = String.valueOf(cause.getMessage());
        String lower = what.toLowerCase(Locale.ROOT);
        if (lower.contains("no space left") || lower.contains("quota exceeded")) {
            return new ModelStoreException(
                    "disk full at " + path + "; free some space, or set MILLRACE_HOME to a larger disk", cause);
        }
        String kind = cause instanceof AccessDeniedException
                ? "permission denied"
                : cause.getClass().getSimpleName() + ": " + what;
        return new ModelStoreException(
                "cannot write " + path + " (" + kind + "); set MILLRACE_HOME to a folder that can be written", cause);
    }
}
