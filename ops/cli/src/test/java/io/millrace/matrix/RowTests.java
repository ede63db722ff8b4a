package io.millrace.matrix;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.NewArrayTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import io.millrace.architecture.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Finds tests with {@code @MatrixRow} in sources: no module has the tests of all others on its class path. */
final class RowTests {
    private static final String ANNOTATION = "MatrixRow";
    private static final Set<String> TESTS = Set.of("Test", "ParameterizedTest", "RepeatedTest", "TestFactory");

    private RowTests() {}

    /** All in the checkout, in order of their names. */
    static Set<RowTest> in(Checkout checkout) {
        Map<String, String> sources = new TreeMap<>();
        for (String file : checkout.files()) {
            if (file.contains("/src/test/java/") && file.endsWith(".java")) {
                String text = checkout.text(file);
                if (text.contains("@" + ANNOTATION + "(")) {
                    sources.put(file, text);
                }
            }
        }
        return in(sources);
    }

    /** All in these sources, which are given by path. */
    static Set<RowTest> in(Map<String, String> sources) {
        List<Source> files = sources.entrySet().stream()
                .map(source -> new Source(source.getKey(), source.getValue()))
                .toList();
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, diagnostic -> {}, List.of("-proc:none"), null, files);
        Set<RowTest> found = new TreeSet<>();
        try {
            for (CompilationUnitTree unit : task.parse()) {
                new Scanner(unit, found).scan(unit, null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("parsing", e);
        }
        return found;
    }

    /** A row on a class is one of each of its tests. */
    private static final class Scanner extends TreeScanner<@Nullable Void, @Nullable Void> {
        private final String packageName;
        private final Set<RowTest> found;
        private final List<ClassTree> classes = new ArrayList<>();

        Scanner(CompilationUnitTree unit, Set<RowTest> found) {
            this.packageName = String.valueOf(unit.getPackageName());
            this.found = found;
        }

        @Override
        public @Nullable Void visitClass(ClassTree type, @Nullable Void nothing) {
            classes.add(type);
            super.visitClass(type, null);
            classes.removeLast();
            return null;
        }

        @Override
        public @Nullable Void visitMethod(MethodTree method, @Nullable Void nothing) {
            if (method.getModifiers().getAnnotations().stream().anyMatch(each -> TESTS.contains(nameOf(each)))) {
                List<String> rows = new ArrayList<>(rows(method.getModifiers()));
                classes.forEach(type -> rows.addAll(rows(type.getModifiers())));
                String names = String.join(
                        "$", classes.stream().map(type -> type.getSimpleName()).toList());
                for (String row : rows) {
                    found.add(new RowTest(
                            row, packageName + "." + names, method.getName().toString()));
                }
            }
            return super.visitMethod(method, null);
        }
    }

    private static List<String> rows(ModifiersTree modifiers) {
        return modifiers.getAnnotations().stream()
                .filter(each -> nameOf(each).equals(ANNOTATION))
                .flatMap(each -> each.getArguments().stream())
                .flatMap(argument -> texts(argument).stream())
                .toList();
    }

    private static List<String> texts(ExpressionTree argument) {
        return switch (argument) {
            case LiteralTree literal -> List.of(String.valueOf(literal.getValue()));
            case AssignmentTree assignment -> texts(assignment.getExpression());
            case NewArrayTree array ->
                array.getInitializers().stream()
                        .flatMap(each -> texts(each).stream())
                        .toList();
            default ->
                throw new IllegalArgumentException(
                        "@" + ANNOTATION + "(" + argument + "), expected=string literals, which are found in sources");
        };
    }

    private static String nameOf(AnnotationTree annotation) {
        String name = annotation.getAnnotationType().toString();
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(URI.create("string:///" + path), JavaFileObject.Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
