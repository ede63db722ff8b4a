package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.modelstore.CachedModel.State;
import io.millrace.modelstore.ModelStore.Check;
import io.millrace.modelstore.ProgressListener.Progress;
import io.millrace.modelstore.ProgressListener.Stage;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelStoreTest {
    private static final byte[] CONTENT = "a model".getBytes(StandardCharsets.UTF_8);
    private static final byte[] SAME_SIZE = "a mOdel".getBytes(StandardCharsets.UTF_8);
    private static final String SHA = HttpFetchTest.sha(CONTENT);

    @TempDir
    private Path folder;

    private final List<Progress> progress = new ArrayList<>();

    private ModelStore store() {
        return ModelStore.open(folder.resolve("home"));
    }

    private ModelSpec local(Path file) {
        return new ModelSpec("m", new ModelSource.Local(file), Optional.of(SHA), OptionalLong.of(CONTENT.length));
    }

    @Test
    void shouldUseALocalFileWhereItLiesAndVerifyItOnce() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);

        assertThat(store().fetch(local(file), ProgressListener.NONE)).isEqualTo(file);
        assertThat(store().fetch(local(file), progress::add)).isEqualTo(file);

        assertThat(progress).extracting(Progress::stage).containsExactly(Stage.READY);
        assertThat(store().list()).singleElement().satisfies(model -> {
            assertThat(model.name()).isEqualTo("m");
            assertThat(model.source()).isEqualTo("file:" + file);
            assertThat(model.path()).isEqualTo(file);
            assertThat(model.sizeBytes()).isEqualTo(CONTENT.length);
            assertThat(model.sha256()).isEqualTo(SHA);
            assertThat(model.state()).isEqualTo(State.VERIFIED);
        });
    }

    @Test
    void shouldVerifyALocalFileAgainWhenItsTimeChanged() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        store().fetch(local(file), ProgressListener.NONE);
        Files.write(file, SAME_SIZE);
        Files.setLastModifiedTime(file, FileTime.fromMillis(1));

        assertThat(store().list()).singleElement().returns(State.CHANGED, CachedModel::state);
        assertThatThrownBy(() -> store().fetch(local(file), ProgressListener.NONE))
                .isInstanceOf(ModelStoreException.class)
                .hasMessage(
                        "model m from file:" + file + ": sha256=" + HttpFetchTest.sha(SAME_SIZE) + ", expected=" + SHA);
    }

    @Test
    void shouldFindDamageThatChangedNoTimeWhenAskedToCheck() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
        store().fetch(local(file), ProgressListener.NONE);
        Files.write(file, SAME_SIZE);
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));

        assertThat(store().fetch(local(file), Check.WHEN_CHANGED, ProgressListener.NONE))
                .isEqualTo(file);
        assertThatThrownBy(() -> store().fetch(local(file), Check.ALWAYS, ProgressListener.NONE))
                .hasMessageContaining("expected=" + SHA);
    }

    @Test
    void shouldTakeANewFileWhereNoDigestIsNamed() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        ModelSpec spec = ModelSpec.ofFile("m", file);
        store().fetch(spec, ProgressListener.NONE);
        Files.writeString(file, "another model");

        assertThat(store().fetchModel(spec, Check.WHEN_CHANGED, ProgressListener.NONE)
                        .sha256())
                .isEqualTo(HttpFetchTest.sha("another model".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldNameALocalFileThatIsNone() throws Exception {
        Path missing = folder.resolve("none.gguf");
        Path wrongSize = Files.writeString(folder.resolve("w.gguf"), "longer than that");

        assertThatThrownBy(() -> store().fetch(local(missing), ProgressListener.NONE))
                .hasMessage("model m: source=file:" + missing + ", expected=a file; there is no " + missing);
        assertThatThrownBy(() -> store().fetch(local(folder), ProgressListener.NONE))
                .hasMessage("model m: source=file:" + folder + ", expected=a file; " + folder + " is a folder");
        assertThatThrownBy(() -> store().fetch(local(wrongSize), ProgressListener.NONE))
                .hasMessage("model m from file:" + wrongSize + ": size=16, expected=7 bytes");
    }

    @Test
    void shouldFetchADamagedCachedFileAgain() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> {
            requests.incrementAndGet();
            FileServer.file(exchange, CONTENT, "\"v1\"");
        })) {
            ModelSpec spec = remote(server);
            Path file = store().fetch(spec, ProgressListener.NONE);
            Files.write(file, new byte[3]);

            assertThat(store().find(spec))
                    .hasValueSatisfying(model -> assertThat(model.state()).isEqualTo(State.CHANGED));
            assertThat(store().fetch(spec, ProgressListener.NONE)).hasBinaryContent(CONTENT);
            assertThat(requests).hasValue(2);
        }
    }

    @Test
    void shouldVerifyACachedFileAgainWithoutFetchingItWhenOnlyItsTimeChanged() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> {
            requests.incrementAndGet();
            FileServer.file(exchange, CONTENT, "\"v1\"");
        })) {
            ModelSpec spec = remote(server);
            Path file = store().fetch(spec, ProgressListener.NONE);
            Files.setLastModifiedTime(file, FileTime.fromMillis(1));

            store().fetch(spec, progress::add);

            assertThat(requests).hasValue(1);
            assertThat(progress).extracting(Progress::stage).contains(Stage.VERIFYING);
            assertThat(store().list()).singleElement().returns(State.VERIFIED, CachedModel::state);
        }
    }

    @Test
    void shouldListWhatIsGoneAsMissingAndFetchItAgain() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, CONTENT, "\"v1\""))) {
            ModelSpec spec = remote(server);
            Path file = store().fetch(spec, ProgressListener.NONE);
            Files.delete(file);

            assertThat(store().list()).singleElement().returns(State.MISSING, CachedModel::state);
            assertThat(store().fetch(spec, ProgressListener.NONE)).hasBinaryContent(CONTENT);
        }
    }

    @Test
    void shouldTakeARecordThatIsNoneForNothing() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, CONTENT, "\"v1\""))) {
            ModelSpec spec = remote(server);
            Path file = store().fetch(spec, ProgressListener.NONE);
            Path record = file.resolveSibling("m.gguf.properties");
            for (String damaged : List.of("", "size=many\nname=m", "path=\\u12", "name=\u0000")) {
                Files.writeString(record, damaged);

                assertThat(store().list()).isEmpty();
                assertThat(store().fetch(spec, ProgressListener.NONE)).isEqualTo(file);
            }
            assertThat(server.asked()).hasSize(1);
        }
    }

    @Test
    void shouldKeepNamesWithSlashesApartFromFolders() throws Exception {
        Path file = Files.write(folder.resolve("a b.gguf"), CONTENT);

        store().fetch(ModelSpec.ofFile("org/m:1", file), ProgressListener.NONE);

        assertThat(HttpFetchTest.filesBelow(folder.resolve("home")))
                .containsExactly("models/org%2Fm%3A1/.lock", "models/org%2Fm%3A1/a%20b.gguf.properties");
        assertThat(store().list()).singleElement().returns("org/m:1", CachedModel::name);
    }

    @Test
    void shouldNameAHomeThatCannotBeWritten() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        ModelStore store = ModelStore.open(Files.writeString(folder.resolve("home"), "a file"));

        assertThatThrownBy(() -> store.fetch(local(file), ProgressListener.NONE))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageStartingWith("cannot write " + folder.resolve("home/models/m"))
                .hasMessageEndingWith("; set MILLRACE_HOME to a folder that can be written");
    }

    @Test
    void shouldTakeTheNamedHomeOrTheUsersCache() {
        assertThat(ModelStore.defaultHome(Optional.of("/models"), "/home/me")).isEqualTo(Path.of("/models"));
        assertThat(ModelStore.defaultHome(Optional.of(" "), "/home/me")).isEqualTo(Path.of("/home/me/.cache/millrace"));
        assertThatThrownBy(() -> ModelStore.defaultHome(Optional.empty(), "?"))
                .hasMessage("user.home=?, expected=a home directory; set MILLRACE_HOME to a folder for models");
    }

    @Test
    void shouldWaitForAnotherProcessThatFetches() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        Path lock = Files.createDirectories(folder.resolve("home/models/m")).resolve(".lock");
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        Files.writeString(folder.resolve("Holder.java"), HOLDER).toString(),
                        lock.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(other.inputReader().readLine()).isEqualTo("held");
        List<Stage> stages = new ArrayList<>();

        Path fetched = store().fetch(local(file), p -> {
            stages.add(p.stage());
            if (p.stage() == Stage.WAITING) {
                other.destroyForcibly();
            }
        });

        assertThat(fetched).isEqualTo(file);
        assertThat(stages).containsExactly(Stage.WAITING, Stage.VERIFYING, Stage.READY);
    }

    private static final String HOLDER = """
            import java.nio.channels.FileChannel;
            import java.nio.file.*;
            class Holder {
                public static void main(String[] args) throws Exception {
                    try (var channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                            var lock = channel.lock()) {
                        System.out.println("held");
                        System.in.read();
                    }
                }
            }
            """;

    @Test
    void shouldStopWaitingWhenInterrupted() throws Exception {
        Path file = Files.write(folder.resolve("m.gguf"), CONTENT);
        Path lock = Files.createDirectories(folder.resolve("home/models/m")).resolve(".lock");
        try (ModelLock _ = ModelLock.acquire(lock, () -> {})) {
            List<Throwable> thrown = new ArrayList<>();
            Thread waiter = Thread.ofPlatform().start(() -> {
                Thread self = Thread.currentThread();
                try {
                    store().fetch(local(file), p -> self.interrupt());
                } catch (Exception e) {
                    thrown.add(e);
                }
            });
            waiter.join();

            assertThat(thrown).singleElement().isInstanceOf(InterruptedIOException.class);
        }
    }

    private static ModelSpec remote(FileServer server) {
        return new ModelSpec(
                "m", ModelSource.parse(server.url("/m.gguf")), Optional.of(SHA), OptionalLong.of(CONTENT.length));
    }
}
