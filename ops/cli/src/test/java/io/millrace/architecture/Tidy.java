package io.millrace.architecture;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** What one file must not contain. Each check answers with lines {@code path:line: what, expected=…}; none means tidy. */
final class Tidy {
    static final long MAX_FILE_BYTES = 256 * 1024;
    static final int MAX_METHOD_LINES = 70;

    private static final Pattern STANDARD_STREAM = Pattern.compile("\\bSystem\\.(out|err)\\b|\\.printStackTrace\\(\\)");
    // put together, so that this file passes
    private static final Pattern UNFINISHED =
            Pattern.compile("\\b(" + String.join("|", "FIX" + "ME", "TO" + "DO", "XX" + "X") + ")\\b");
    private static final List<String> REGISTRY_HOSTS = List.of(
            "repo.maven." + "apache.org",
            "repo1." + "maven.org",
            "central.sonatype" + ".com",
            "packages.confluent" + ".io",
            "py" + "pi.org",
            "pythonhosted" + ".org",
            "registry.npmjs" + ".org",
            "proxy.golang" + ".org",
            "crates" + ".io");

    private Tidy() {}

    static List<String> fileSize(String path, long bytes) {
        return bytes <= MAX_FILE_BYTES
                ? List.of()
                : List.of(path + ": bytes=" + bytes + ", expected=at most " + MAX_FILE_BYTES);
    }

    static List<String> unfinished(String path, String text) {
        return lines(path, text, UNFINISHED, "finished work");
    }

    /** Of the product only: a process that a test forks may talk to it this way. */
    static List<String> standardStreams(String path, String text) {
        return path.endsWith(".java") && path.contains("src/main/") && !path.startsWith("ops/cli/")
                ? lines(path, text, STANDARD_STREAM, "a logger, or data returned to the CLI")
                : List.of();
    }

    static List<String> registryHosts(String path, String text) {
        List<String> found = new ArrayList<>();
        String lowerCase = text.toLowerCase(Locale.ROOT);
        for (String host : REGISTRY_HOSTS) {
            if (lowerCase.contains(host)) {
                found.add(path + ": host=" + host
                        + ", expected=no package registry's host: clients are configured outside");
            }
        }
        return found;
    }

    private static List<String> lines(String path, String text, Pattern pattern, String expected) {
        List<String> found = new ArrayList<>();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            var matcher = pattern.matcher(line);
            if (matcher.find()) {
                found.add(path + ":" + number + ": " + matcher.group() + ", expected=" + expected);
            }
        }
        return found;
    }

    /**
     * Methods longer than {@link #MAX_METHOD_LINES}, from the first line of the declaration to its closing brace.
     *
     * @param sources Java source by path; parsed together, since starting a compiler takes longer than parsing
     */
    static List<String> longMethods(Map<String, String> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<InMemorySource> files = sources.entrySet().stream()
                .map(source -> new InMemorySource(source.getKey(), source.getValue()))
                .toList();
        JavacTask task = (JavacTask) compiler.getTask(null, null, diagnostic -> {}, List.of("-proc:none"), null, files);
        List<String> found = new ArrayList<>();
        try {
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            for (CompilationUnitTree unit : task.parse()) {
                new MethodScanner(unit, positions, found).scan(unit, null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("parsing", e);
        }
        return found;
    }

    private static final class MethodScanner extends TreeScanner<@Nullable Void, @Nullable Void> {
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<String> found;

        MethodScanner(CompilationUnitTree unit, SourcePositions positions, List<String> found) {
            this.unit = unit;
            this.positions = positions;
            this.found = found;
        }

        @Override
        public @Nullable Void visitMethod(MethodTree method, @Nullable Void nothing) {
            LineMap lines = unit.getLineMap();
            long first = lines.getLineNumber(positions.getStartPosition(unit, method));
            long last = lines.getLineNumber(positions.getEndPosition(unit, method));
            long count = last - first + 1;
            String path = unit.getSourceFile().getName().substring(1);
            if (count > MAX_METHOD_LINES) {
                found.add(path + ":" + first + ": method=" + method.getName() + ", lines=" + count
                        + ", expected=at most " + MAX_METHOD_LINES);
            }
            return super.visitMethod(method, null);
        }
    }

    private static final class InMemorySource extends SimpleJavaFileObject {
        private final String source;

        InMemorySource(String path, String source) {
            super(URI.create("string:///" + path), JavaFileObject.Kind.SOURCE);
            this.source = source;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
        }
    }
}
