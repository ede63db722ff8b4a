package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs no server; {@code make test-servers} runs the rest on the real one. */
class ModelServerTest {

    @TempDir
    Path folder;

    @Test
    void shouldSayHowAServerEndedThatDoesNotStart() {
        Path shell = Path.of("/bin/false");
        var options = LlamaServerOptions.of(shell, folder.resolve("model.gguf"), folder.resolve("server.log"));

        assertThatThrownBy(() -> ModelServer.start(options))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("/bin/false: exit code 1, expected=a server that is ready; its log ends so:");
    }

    @Test
    void shouldGiveEachSlotItsOwnContext() {
        var options =
                LlamaServerOptions.of(Path.of("s"), Path.of("m"), Path.of("l")).withSlots(16, 512);

        assertThat(options.commandLine("127.0.0.1", 99))
                .containsSequence("--parallel", "16", "--ctx-size", "8192")
                .containsSequence("--host", "127.0.0.1", "--port", "99");
        assertThatThrownBy(() -> options.withSlots(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("slots=0, expected=at least 1");
    }
}
