package io.millrace.llm.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.llm.backend.cpu.CpuBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

class BackendsTest {

    @Test
    void shouldOpenTheBackendAskedForByName() {
        assertOpens("cpu", "cpu", true);
        assertOpens("reference", "reference", true);
        assertOpens("reference", "reference", false);
    }

    @Test
    @EnabledIf(value = "vectorsSuffice", disabledReason = "this machine's vectors are shorter than the cpu backend's")
    void shouldChooseTheCpuBackendWhereItRunsWell() {
        assertOpens("auto", "cpu", true);
    }

    @Test
    void shouldFallBackToTheReferenceWhereTheVectorModuleIsMissing() {
        assertOpens("auto", "reference", false);
    }

    @Test
    void shouldNameTheRemedyWhereABackendAskedForByNameCannotRun() {
        assertThatThrownBy(() -> Backends.open("cpu", 1, false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("backend=cpu, expected=module jdk.incubator.vector"
                        + " (start java with --add-modules jdk.incubator.vector)");
    }

    @Test
    void shouldRefuseAnUnknownNameAndNegativeThreads() {
        assertThatThrownBy(() -> Backends.open("gpu", 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backend=gpu, expected=auto, cpu or reference");
        assertThatThrownBy(() -> Backends.open("cpu", -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("threads=-1, expected=0 (all processors) or more");
    }

    static boolean vectorsSuffice() {
        return CpuBackend.preferredVectorBits() >= CpuBackend.VECTOR_BITS;
    }

    private static void assertOpens(String name, String expected, boolean vectorModule) {
        try (Backend backend = Backends.open(name, 1, vectorModule)) {
            assertThat(backend.name()).isEqualTo(expected);
        }
    }
}
