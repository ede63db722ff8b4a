package io.millrace.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.architecture.Checkout;
import io.millrace.devstack.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each row of the failure matrix has a test, and the README names one. */
class FailureMatrixTest {
    private static final Checkout CHECKOUT = Checkout.find();
    private static final Set<RowTest> TESTS = RowTests.in(CHECKOUT);

    @Test
    void shouldHaveATestForEachRow() {
        for (Fault fault : Fault.values()) {
            assertThat(TESTS)
                    .as("tests of the row: " + fault.row())
                    .anyMatch(test -> test.row().equals(fault.row()));
        }
    }

    @Test
    void shouldKnowEachRowThatATestNames() {
        assertThat(TESTS)
                .allSatisfy(test -> assertThat(Fault.ofRow(test.row()))
                        .as("%s proves row=%s, expected=a row of Fault", test, test.row())
                        .isPresent());
    }

    @Test
    void shouldNameAnExistingTestForEachRowInTheReadme() {
        String readme = CHECKOUT.text("README.md");
        String section = readme.substring(readme.indexOf("## What is guaranteed"), readme.indexOf("## How fast"));
        for (Fault fault : Fault.values()) {
            Optional<String> line = section.lines()
                    .filter(each -> each.startsWith("| " + fault.row() + " |"))
                    .findFirst();
            assertThat(line)
                    .as(
                            "the row in the README; the whole table:\n%s",
                            new MatrixReport(TESTS, Runs.of(List.of())).readmeTable())
                    .hasValueSatisfying(text -> assertThat(TESTS)
                            .anyMatch(test -> test.row().equals(fault.row())
                                    && text.contains("`" + test.simpleClassName() + "`")));
        }
    }

    @Test
    void shouldFindTestsByTheirAnnotationsAndByThatOfTheirClass() {
        String source = """
            package a.b;
            @MatrixRow("of the class")
            class SomeTest {
                @Test void shouldOne() {}
                @ParameterizedTest @MatrixRow({"x", "y"}) void shouldTwo(int n) {}
                void helper() {}
            }
            """;
        assertThat(RowTests.in(Map.of("SomeTest.java", source)))
                .containsExactly(
                        new RowTest("of the class", "a.b.SomeTest", "shouldOne"),
                        new RowTest("of the class", "a.b.SomeTest", "shouldTwo"),
                        new RowTest("x", "a.b.SomeTest", "shouldTwo"),
                        new RowTest("y", "a.b.SomeTest", "shouldTwo"));
    }

    @Test
    void shouldRefuseARowThatIsNoLiteral() {
        String source = "class A { @Test @MatrixRow(Rows.ONE) void should() {} }";
        assertThatThrownBy(() -> RowTests.in(Map.of("A.java", source)))
                .hasMessage("@MatrixRow(Rows.ONE), expected=string literals, which are found in sources");
    }

    @Test
    void shouldReportARowAsUnprovenUnlessAllItsTestsPassed(@TempDir Path folder) throws IOException {
        Path report = Files.writeString(folder.resolve("TEST-a.xml"), """
            <testsuite>
              <testcase classname="a.KillTest" name="shouldPass(TestKafka)" time="1.5"/>
              <testcase classname="a.LostTest" name="shouldPassOnce(Loss)[1]" time="1"/>
              <testcase classname="a.LostTest" name="shouldPassOnce(Loss)[2]" time="2"><failure/></testcase>
              <testcase classname="a.SlowTest" name="shouldSkip" time="0"><skipped/></testcase>
            </testsuite>
            """);
        MatrixReport matrix = new MatrixReport(
                List.of(
                        new RowTest(Fault.WORKER_KILL.row(), "a.KillTest", "shouldPass"),
                        new RowTest(Fault.LOST_ACKNOWLEDGEMENT.row(), "a.LostTest", "shouldPassOnce"),
                        new RowTest(Fault.SLOW_DOWNSTREAM.row(), "a.SlowTest", "shouldSkip"),
                        new RowTest(Fault.CLOCK_JUMP.row(), "a.ClockTest", "shouldRun")),
                Runs.of(List.of(report.toFile())));

        assertThat(matrix.table())
                .contains("| worker kill -9 mid-generation | another worker takes over and generates again"
                        + " | `KillTest.shouldPass` | passed | 1.5 |\n")
                .contains("| `LostTest.shouldPassOnce` | failed | 3.0 |\n");
        assertThat(matrix.unproven())
                .contains(
                        "row=coordinator timeout, lost acknowledgement, test=LostTest.shouldPassOnce, outcome=failed,"
                                + " expected=passed",
                        "row=slow downstream, test=SlowTest.shouldSkip, outcome=skipped, expected=passed",
                        "row=clock jump, test=ClockTest.shouldRun, outcome=not run, expected=passed",
                        "row=result too large, tests=0, expected=at least 1")
                .noneMatch(line -> line.contains("KillTest"));
    }
}
