package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs no server; {@code make test-servers} runs the rest on the real one. */
class LlamaServerTest {

    @TempDir
    Path folder;

    @Test
    void shouldSayHowAServerEndedThatDoesNotStart() {
        Path shell = Path.of("/bin/false");
        var options = LlamaServerOptions.of(shell, folder.resolve("model.gguf"), folder.resolve("server.log"));

        assertThatThrownBy(() -> LlamaServer.start(options))
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

    @Test
    void shouldReadOneMetricAmongOthers() throws IOException {
        String text = """
                # TYPE llamacpp:requests_processing gauge
                llamacpp:requests_processing 3
                llamacpp:requests_deferred 1.2e+01
                """;
        assertThat(LlamaServer.metric(text, "llamacpp:requests_processing")).isEqualTo(3);
        assertThat(LlamaServer.metric(text, "llamacpp:requests_deferred")).isEqualTo(12);
        assertThatThrownBy(() -> LlamaServer.metric(text, "llamacpp:requests"))
                .isInstanceOf(IOException.class)
                .hasMessage("metric=llamacpp:requests, expected=one that the server shows");
    }
}
