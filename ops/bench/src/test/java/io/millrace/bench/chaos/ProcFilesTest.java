package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, disabledReason = "reads /proc")
class ProcFilesTest {

    @Test
    void shouldTellOfThisProcess() {
        ProcFiles self = ProcFiles.of(ProcessHandle.current().pid()).orElseThrow();

        assertThat(self.rssMib()).isBetween(10.0, 100_000.0);
        assertThat(self.threads()).isGreaterThan(1);
        assertThat(self.openFiles()).isGreaterThan(2);
    }

    @Test
    void shouldTellNothingOfAProcessThatIsGone() {
        assertThat(ProcFiles.of(Integer.MAX_VALUE)).isEmpty();
    }
}
