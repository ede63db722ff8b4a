package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryDistributionTest {

    @TempDir
    Path folder;

    @Test
    void shouldTakeWhatWasFetchedBefore() throws Exception {
        Path home = folder.resolve("home");
        Path fetched = Files.createDirectories(home.resolve("apicurio-registry-3.3.3"));
        assertThat(RegistryDistribution.find(home)).isEmpty();
        Files.createFile(fetched.resolve("quarkus-run.jar"));

        assertThat(RegistryDistribution.fetch(home, RegistryDistribution.Reach.THIS_MACHINE))
                .isEqualTo(fetched);
    }

    @Test
    void shouldSayWhereItCannotBePut() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> RegistryDistribution.fetch(file, RegistryDistribution.Reach.THIS_MACHINE))
                .isInstanceOf(RegistryStartException.class)
                .hasMessage("folder=" + file + ", expected=a folder that can be written");
    }
}
