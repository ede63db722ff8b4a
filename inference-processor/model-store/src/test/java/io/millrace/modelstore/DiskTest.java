package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskTest {
    private static final Path FILE = Path.of("/cache/m.part");

    @Test
    void shouldNameAFullDiskAndTheRemedy() {
        assertThat(Disk.explain(FILE, new IOException("No space left on device")))
                .hasMessage("disk full at /cache/m.part; free some space, or set MILLRACE_HOME to a larger disk");
        assertThat(Disk.explain(FILE, new FileSystemException("/cache/m.part", null, "Disk quota exceeded")))
                .hasMessageStartingWith("disk full at /cache/m.part");
    }

    @Test
    void shouldNameWhatCannotBeWritten() {
        assertThat(Disk.explain(FILE, new AccessDeniedException("/cache")))
                .hasMessage(
                        "cannot write /cache/m.part (permission denied); set MILLRACE_HOME to a folder that can be written");
        assertThat(Disk.explain(FILE, new FileSystemException("/cache", null, "Read-only file system")))
                .hasMessageContaining("Read-only file system");
    }

    @Test
    void shouldRefuseWhatDoesNotFit(@TempDir Path folder) {
        assertThatThrownBy(() -> Disk.requireSpace(folder, 1L << 60))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining("free space of " + folder + "=")
                .hasMessageContaining("set MILLRACE_HOME to a larger disk");
    }
}
