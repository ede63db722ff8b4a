package io.millrace.modelstore;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What was verified of a model's file; kept beside it as a properties file.
 *
 * @param name the model's name
 * @param source where it came from, without secrets
 * @param sourceId digest of the whole source
 * @param path the file
 * @param sizeBytes its size
 * @param modifiedMillis its modification time
 * @param sha256 its digest
 * @param verifiedAt when the digest was computed
 */
record CacheRecord(
        String name,
        String source,
        String sourceId,
        Path path,
        long sizeBytes,
        long modifiedMillis,
        String sha256,
        Instant verifiedAt) {

    static final String SUFFIX = ".properties";
    private static final long MAX_BYTES = 64 << 10;

    static CacheRecord of(ModelSpec spec, Path path, String sha256, Instant now) throws IOException {
        return new CacheRecord(
                spec.name(),
                spec.source().shown(),
                idOf(spec.source()),
                path,
                Files.size(path),
                Files.getLastModifiedTime(path).toMillis(),
                sha256,
                now);
    }

    static String idOf(ModelSource source) {
        return Digests.sha256(source.text());
    }

    /** Whether the file still looks as it did when it was verified. */
    boolean isUntouched() throws IOException {
        return Files.isRegularFile(path)
                && Files.size(path) == sizeBytes
                && Files.getLastModifiedTime(path).toMillis() == modifiedMillis;
    }

    /** Whether this is the file that the specification asks for. */
    boolean answers(ModelSpec spec) {
        boolean sameContent = spec.sha256().map(sha256::equals).orElseGet(() -> sourceId.equals(idOf(spec.source())));
        return sameContent && (spec.sizeBytes().isEmpty() || spec.sizeBytes().getAsLong() == sizeBytes);
    }

    CachedModel describe() throws IOException {
        CachedModel.State state = !Files.exists(path)
                ? CachedModel.State.MISSING
                : isUntouched() ? CachedModel.State.VERIFIED : CachedModel.State.CHANGED;
        return new CachedModel(name, source, path, sizeBytes, sha256, verifiedAt, state);
    }

    /** Reads a record; one that is absent or that cannot be read counts for nothing, as the file is then verified again. */
    static Optional<CacheRecord> read(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
            return Optional.empty();
        }
        Properties p = new Properties();
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            p.load(in);
            return Optional.of(new CacheRecord(
                    get(p, "name"),
                    get(p, "source"),
                    get(p, "source_id"),
                    Path.of(get(p, "path")),
                    Long.parseLong(get(p, "size")),
                    Long.parseLong(get(p, "modified_ms")),
                    get(p, "sha256"),
                    Instant.parse(get(p, "verified_at"))));
        } catch (IllegalArgumentException | DateTimeException | java.nio.charset.CharacterCodingException e) {
            return Optional.empty();
        }
    }

    private static String get(Properties p, String key) {
        @Nullable String value = p.getProperty(key);
        if (value == null) {
            throw new IllegalArgumentException(key + " is missing");
        }
        return value;
    }

    void write(Path file) throws IOException {
        Properties p = new Properties();
        p.setProperty("name", name);
        p.setProperty("source", source);
        p.setProperty("source_id", sourceId);
        p.setProperty("path", path.toString());
        p.setProperty("size", Long.toString(sizeBytes));
        p.setProperty("modified_ms", Long.toString(modifiedMillis));
        p.setProperty("sha256", sha256);
        p.setProperty("verified_at", verifiedAt.toString());
        StringWriter text = new StringWriter();
        p.store(text, "written by Millrace; delete it to have the file verified again");
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.writeString(next, text.toString());
        } catch (IOException e) {
            throw Disk.explain(next, e);
        }
        Disk.moveInto(next, file);
    }
}
