package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.modelstore.ProgressListener.Progress;
import io.millrace.modelstore.ProgressListener.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpFetchTest {
    private static final byte[] CONTENT = new byte[600_000];
    private static final byte[] OTHER = new byte[700_000];
    private static final String ETAG = "\"v1\"";

    static {
        new Random(1).nextBytes(CONTENT);
        new Random(2).nextBytes(OTHER);
    }

    @TempDir
    private Path home;

    private final List<Progress> progress = new ArrayList<>();

    @Test
    void shouldFetchVerifyAndThenUseTheCache() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, CONTENT, ETAG))) {
            ModelSpec spec = spec(server.url("/dir/m.gguf"), CONTENT);

            Path first = store(Map.of()).fetch(spec, progress::add);
            Path second = store(Map.of()).fetch(spec, ProgressListener.NONE);

            assertThat(first)
                    .isEqualTo(home.resolve("models/m/m.gguf"))
                    .isEqualTo(second)
                    .hasBinaryContent(CONTENT);
            assertThat(server.asked()).hasSize(1);
            assertThat(progress)
                    .extracting(Progress::stage)
                    .containsSubsequence(Stage.DOWNLOADING, Stage.VERIFYING, Stage.READY);
            assertThat(progress).allMatch(p -> p.totalBytes().equals(OptionalLong.of(CONTENT.length)));
            assertThat(filesBelow(home))
                    .containsExactly("models/m/.lock", "models/m/m.gguf", "models/m/m.gguf.properties");
        }
    }

    @Test
    void shouldGoOnWhereAConnectionWasCut() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> FileServer.cut(
                exchange, CONTENT, ETAG, requests.incrementAndGet() < 3 ? 200_000 * requests.get() : CONTENT.length))) {

            Path file = store(Map.of()).fetch(spec(server.url("/m.gguf"), CONTENT), ProgressListener.NONE);

            assertThat(file).hasBinaryContent(CONTENT);
            assertThat(server.asked()).hasSize(3);
            assertThat(server.asked().get(0).range()).isNull();
            assertThat(server.asked().get(1))
                    .returns("bytes=200000-", FileServer.Asked::range)
                    .returns(ETAG, FileServer.Asked::ifRange);
            assertThat(server.asked().get(2).range()).isEqualTo("bytes=400000-");
        }
    }

    @Test
    void shouldKeepThePartOfAFetchThatFailedAndGoOnFromItNextTime() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> {
            if (requests.incrementAndGet() == 1) {
                FileServer.cut(exchange, CONTENT, ETAG, 300_000);
            } else if (requests.get() <= 3) {
                FileServer.status(exchange, 503);
            } else {
                FileServer.file(exchange, CONTENT, ETAG);
            }
        })) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT);

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .isInstanceOf(ModelStoreException.class)
                    .hasMessage(
                            server.url("/m.gguf")
                                    + ": status=503; gave up after 3 attempts, 300000 bytes are kept and the next fetch goes on from there");
            assertThat(home.resolve("models/m/m.gguf")).doesNotExist();
            assertThat(home.resolve("models/m/m.gguf.part")).hasSize(300_000);

            assertThat(store(Map.of()).fetch(spec, ProgressListener.NONE)).hasBinaryContent(CONTENT);
            assertThat(server.asked().getLast().range()).isEqualTo("bytes=300000-");
        }
    }

    @Test
    void shouldBeginAgainWhenTheServersFileChangedMeanwhile() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> {
            if (requests.incrementAndGet() == 1) {
                FileServer.cut(exchange, CONTENT, ETAG, 300_000);
            } else {
                FileServer.file(exchange, OTHER, "\"v2\"");
            }
        })) {
            Path file = store(Map.of())
                    .fetch(spec(server.url("/m.gguf"), OTHER, OptionalLong.empty()), ProgressListener.NONE);

            assertThat(file).hasBinaryContent(OTHER);
        }
    }

    @Test
    void shouldNotResumeByAWeakETag() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> FileServer.cut(
                exchange, CONTENT, "W/\"v1\"", requests.incrementAndGet() == 1 ? 300_000 : CONTENT.length))) {

            Path file = store(Map.of()).fetch(spec(server.url("/m.gguf"), CONTENT), ProgressListener.NONE);

            assertThat(file).hasBinaryContent(CONTENT);
            assertThat(server.asked()).allMatch(asked -> asked.range() == null);
        }
    }

    @Test
    void shouldBeginAgainWhenAResumedFileIsDamaged() throws Exception {
        byte[] mixed = CONTENT.clone();
        mixed[5] ^= 1;
        AtomicInteger requests = new AtomicInteger();
        try (FileServer server = new FileServer(exchange -> {
            switch (requests.incrementAndGet()) {
                case 1 -> FileServer.cut(exchange, mixed, ETAG, 300_000);
                case 2, 3 -> FileServer.status(exchange, 503);
                default -> FileServer.file(exchange, CONTENT, ETAG);
            }
        })) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT);
            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .isInstanceOf(IOException.class);

            assertThat(store(Map.of()).fetch(spec, ProgressListener.NONE)).hasBinaryContent(CONTENT);
        }
    }

    @Test
    void shouldTakeAPartThatIsComplete() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, CONTENT, ETAG))) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT, OptionalLong.empty());
            PartialFile part = new PartialFile(
                    Files.createDirectories(home.resolve("models/m")), "m.gguf", CacheRecord.idOf(spec.source()));
            part.restart(ETAG, null);
            Files.write(part.path(), CONTENT);

            assertThat(store(Map.of()).fetch(spec, ProgressListener.NONE)).hasBinaryContent(CONTENT);
            assertThat(server.asked()).singleElement().returns("bytes=600000-", FileServer.Asked::range);
        }
    }

    @Test
    void shouldThrowAWrongDigestAway() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, OTHER, ETAG))) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT, OptionalLong.of(OTHER.length));

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .isInstanceOf(ModelStoreException.class)
                    .hasMessage("model m from " + server.url("/m.gguf") + ": sha256=" + sha(OTHER) + ", expected="
                            + sha(CONTENT) + "; the download was thrown away");
            assertThat(filesBelow(home)).containsExactly("models/m/.lock");
        }
    }

    @Test
    void shouldRefuseAWrongSizeBeforeItIsDownloaded() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, OTHER, ETAG))) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT);

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .hasMessage(server.url("/m.gguf") + ": size=700000, expected=600000 bytes");
            assertThat(home.resolve("models/m/m.gguf.part")).doesNotExist();
        }
    }

    @Test
    void shouldStopAStreamThatIsLongerThanTheFile() throws Exception {
        try (FileServer server = new FileServer(exchange -> {
            exchange.sendResponseHeaders(200, 0); // chunked, no length
            exchange.getResponseBody().write(OTHER);
        })) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT);

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .hasMessage(server.url("/m.gguf") + ": size=more than 600000, expected=600000 bytes");
        }
    }

    @Test
    void shouldRefuseAnAbsurdSizeBeforeItFillsTheDisk() throws Exception {
        try (FileServer server = new FileServer(exchange -> {
            exchange.sendResponseHeaders(200, 1L << 60);
            exchange.getResponseBody().write(CONTENT);
        })) {
            ModelSpec spec = new ModelSpec(
                    "m", ModelSource.parse(server.url("/m.gguf")), Optional.empty(), OptionalLong.empty());

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .isInstanceOf(ModelStoreException.class)
                    .hasMessageContaining("free space of " + home.resolve("models/m"))
                    .hasMessageContaining("expected=" + ((1L << 60) + (16 << 20))
                            + " or more; free some, or set MILLRACE_HOME to a larger disk");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            404 | status=404, expected=200; there is no such file
            401 | status=401, expected=200; access is refused; for a private or gated Hugging Face model set HF_TOKEN
            418 | status=418, expected=200
            503 | status=503; gave up after 3 attempts, 0 bytes are kept and the next fetch goes on from there
            """)
    void shouldSayWhatAServerRefuses(int status, String expected) throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.status(exchange, status))) {
            ModelSpec spec = spec(server.url("/m.gguf?signature=secret"), CONTENT);

            assertThatThrownBy(() -> store(Map.of()).fetch(spec, ProgressListener.NONE))
                    .isInstanceOf(ModelStoreException.class)
                    .hasMessage(server.url("/m.gguf") + ": " + expected);
        }
    }

    @Test
    void shouldFollowRedirectsAndKeepTheTokenFromOtherHosts() throws Exception {
        try (FileServer storage = new FileServer(exchange -> FileServer.file(exchange, CONTENT, ETAG));
                FileServer hub = new FileServer(exchange -> {
                    if (exchange.getRequestURI().getPath().contains("resolve")) {
                        FileServer.redirect(exchange, "/moved");
                    } else {
                        FileServer.redirect(exchange, storage.url("/blob?signature=x"));
                    }
                })) {
            ModelSpec spec = new ModelSpec(
                    "m", ModelSource.parse("hf:org/repo/sub/m.gguf"), Optional.of(sha(CONTENT)), OptionalLong.empty());

            Path file = store(Map.of("HF_ENDPOINT", hub.url("/"), "HF_TOKEN", "t0ken"))
                    .fetch(spec, ProgressListener.NONE);

            assertThat(file).hasBinaryContent(CONTENT);
            assertThat(hub.asked())
                    .extracting(FileServer.Asked::path)
                    .containsExactly("/org/repo/resolve/main/sub/m.gguf", "/moved");
            assertThat(hub.asked()).allMatch(asked -> "Bearer t0ken".equals(asked.authorization()));
            assertThat(storage.asked()).singleElement().returns(null, FileServer.Asked::authorization);
        }
    }

    @Test
    void shouldRefuseRedirectsOutOfEncryptionAndRoundInCircles() throws Exception {
        try (FileServer out = new FileServer(exchange -> FileServer.redirect(exchange, "http://example.org/m.gguf"));
                FileServer circle = new FileServer(exchange -> FileServer.redirect(exchange, "/again"))) {

            assertThatThrownBy(() -> store(Map.of()).fetch(spec(out.url("/m.gguf"), CONTENT), ProgressListener.NONE))
                    .hasMessage(out.url("/m.gguf") + ": redirect to http://example.org/m.gguf, expected=https:");
            assertThatThrownBy(() -> store(Map.of()).fetch(spec(circle.url("/m.gguf"), CONTENT), ProgressListener.NONE))
                    .hasMessage(circle.url("/m.gguf") + ": more than 10 redirects");
        }
    }

    @Test
    void shouldGiveUpOnAServerThatSendsNothing() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (FileServer server = new FileServer(exchange -> {
            exchange.sendResponseHeaders(200, CONTENT.length);
            exchange.getResponseBody().write(CONTENT, 0, 100);
            exchange.getResponseBody().flush();
            await(release);
        })) {
            assertThatThrownBy(() -> store(Map.of()).fetch(spec(server.url("/m.gguf"), CONTENT), ProgressListener.NONE))
                    .isInstanceOf(ModelStoreException.class)
                    .hasMessageContaining("cut at byte 100 (Read timed out)");
            release.countDown();
        }
    }

    @Test
    void shouldFetchOnceWhenManyAskAtOnce() throws Exception {
        CountDownLatch waiting = new CountDownLatch(3);
        try (FileServer server = new FileServer(exchange -> {
            await(waiting);
            FileServer.file(exchange, CONTENT, ETAG);
        })) {
            ModelSpec spec = spec(server.url("/m.gguf"), CONTENT);
            ProgressListener listener = p -> {
                if (p.stage() == Stage.WAITING) {
                    waiting.countDown();
                }
            };
            List<Thread> threads = new ArrayList<>();
            List<Path> fetched = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < 4; i++) {
                threads.add(Thread.ofVirtual().start(() -> fetched.add(fetch(spec, listener))));
            }
            for (Thread thread : threads) {
                thread.join();
            }

            assertThat(fetched).hasSize(4).containsOnly(home.resolve("models/m/m.gguf"));
            assertThat(server.asked()).hasSize(1);
        }
    }

    @Test
    void shouldWarnAndRecordTheDigestOfAnUnpinnedModel() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(exchange, CONTENT, ETAG))) {
            ModelSpec spec = new ModelSpec(
                    "m", ModelSource.parse(server.url("/m.gguf")), Optional.empty(), OptionalLong.empty());

            CachedModel model = store(Map.of()).fetchModel(spec, ModelStore.Check.WHEN_CHANGED, ProgressListener.NONE);

            assertThat(model.sha256()).isEqualTo(sha(CONTENT));
            assertThat(model.sizeBytes()).isEqualTo(CONTENT.length);
        }
    }

    @Test
    void shouldFetchAnewWhenTheSpecificationNamesAnotherFile() throws Exception {
        try (FileServer server = new FileServer(exchange -> FileServer.file(
                exchange, exchange.getRequestURI().getPath().startsWith("/new") ? OTHER : CONTENT, ETAG))) {
            store(Map.of()).fetch(spec(server.url("/old/m.gguf"), CONTENT), ProgressListener.NONE);

            Path file = store(Map.of()).fetch(spec(server.url("/new/m.gguf"), OTHER), ProgressListener.NONE);

            assertThat(file).hasBinaryContent(OTHER);
            assertThat(store(Map.of()).list()).singleElement().returns(sha(OTHER), CachedModel::sha256);
        }
    }

    @Test
    void shouldNameAnEndpointThatIsNoSafeUrl() {
        ModelSpec spec =
                new ModelSpec("m", ModelSource.parse("hf:org/repo/m.gguf"), Optional.empty(), OptionalLong.empty());

        assertThatThrownBy(() -> store(Map.of("HF_ENDPOINT", "http://mirror.example.org"))
                        .fetch(spec, ProgressListener.NONE))
                .hasMessage(
                        "HF_ENDPOINT=http://mirror.example.org, expected=https://HOST (http: only to this machine itself)");
        assertThatThrownBy(() -> store(Map.of("HF_ENDPOINT", "not a url")).fetch(spec, ProgressListener.NONE))
                .hasMessageStartingWith("HF_ENDPOINT=not a url, expected=a URL");
    }

    private Path fetch(ModelSpec spec, ProgressListener listener) {
        try {
            return store(Map.of()).fetch(spec, listener);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ModelStore store(Map<String, String> environment) {
        HttpDownload.Patience patience =
                new HttpDownload.Patience(Duration.ofSeconds(5), Duration.ofMillis(700), 3, Duration.ofMillis(1));
        return ModelStore.open(home, new ModelStore.Outside(environment, List.of(), patience, Clock.systemUTC()));
    }

    private static ModelSpec spec(String url, byte[] content) {
        return spec(url, content, OptionalLong.of(content.length));
    }

    private static ModelSpec spec(String url, byte[] content, OptionalLong size) {
        return new ModelSpec("m", ModelSource.parse(url), Optional.of(sha(content)), size);
    }

    static String sha(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    static List<String> filesBelow(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
