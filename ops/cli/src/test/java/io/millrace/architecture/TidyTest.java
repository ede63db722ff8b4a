package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** The whole checkout is tidy, and the checks see what is not. */
class TidyTest {
    private final Checkout checkout = Checkout.find();

    @Test
    void shouldHoldNoLargeFile() {
        assertThat(checkout.files().stream().flatMap(name -> Tidy.fileSize(name, checkout.read(name).length).stream()))
                .isEmpty();
    }

    @Test
    void shouldHoldNoUnfinishedWork() {
        assertThat(violations(Tidy::unfinished)).isEmpty();
    }

    @Test
    void shouldUseStandardStreamsInTheCliOnly() {
        assertThat(violations(Tidy::standardStreams)).isEmpty();
    }

    @Test
    void shouldNameNoPackageRegistry() {
        assertThat(violations(Tidy::registryHosts)).isEmpty();
    }

    @Test
    void shouldKeepMethodsShort() {
        Map<String, String> sources = new TreeMap<>();
        checkout.files().stream()
                .filter(name -> name.endsWith(".java"))
                .forEach(name -> sources.put(name, checkout.text(name)));
        assertThat(sources).containsKey("ops/cli/src/main/java/io/millrace/cli/Main.java");
        assertThat(Tidy.longMethods(sources)).isEmpty();
    }

    @Test
    void shouldDescribeEveryPackageAndMarkItsNullness() {
        Set<String> packages = new TreeSet<>();
        for (String name : checkout.files()) {
            if (name.contains("/src/main/java/") && name.endsWith(".java")) {
                packages.add(name.substring(0, name.lastIndexOf('/')));
            }
        }
        List<String> files = checkout.files();
        assertThat(packages).isNotEmpty().allSatisfy(folder -> {
            String info = folder + "/package-info.java";
            assertThat(files).contains(info);
            assertThat(checkout.text(info)).contains("@NullMarked").startsWith("/**");
        });
    }

    @Test
    void shouldSeeEachKindOfUntidiness() {
        assertThat(Tidy.fileSize("a.bin", 256 * 1024)).isEmpty();
        assertThat(Tidy.fileSize("a.bin", 256 * 1024 + 1))
                .containsExactly("a.bin: bytes=262145, expected=at most 262144");
        assertThat(Tidy.unfinished("a.md", "one\n// TO" + "DO later\nMETHOD"))
                .containsExactly("a.md:2: TO" + "DO, expected=finished work");
        assertThat(Tidy.standardStreams("streams/src/main/A.java", "\nSystem.out.println();"))
                .containsExactly(
                        "streams/src/main/A.java:2: System.out, expected=a logger, or data returned to the CLI");
        assertThat(Tidy.standardStreams("ops/cli/src/main/A.java", "System.out.println();"))
                .isEmpty();
        assertThat(Tidy.registryHosts("pom.xml", "<url>https://REPO1." + "maven.org/</url>"))
                .hasSize(1);
    }

    @Test
    void shouldMeasureMethodsWithTheirLambdasButNotTheirComments() {
        assertThat(Tidy.longMethods(Map.of("A.java", methodOf(70)))).isEmpty();
        assertThat(Tidy.longMethods(Map.of("A.java", methodOf(71))))
                .containsExactly("A.java:4: method=run, lines=71, expected=at most 70");
    }

    private static String methodOf(int lines) {
        return "class A {\n  /** Two lines\n   of doc. */\n  void run() {\n"
                + "    String s = \"}\"; // }\n".repeat(lines - 2) + "  }\n}\n";
    }

    private List<String> violations(BiFunction<String, String, List<String>> check) {
        return checkout.files().stream()
                .flatMap(name -> check.apply(name, checkout.text(name)).stream())
                .toList();
    }
}
