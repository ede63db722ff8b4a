package io.millrace.devstack;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How vLLM's own server runs on this machine's processors, which {@code ops/servers/install-vllm.sh} installs.
 *
 * @param binary Python of an environment that has vLLM
 * @param model a folder with safetensors and a tokenizer
 * @param alias the model's name in requests and answers
 * @param slots sequences that it works on together, at least 1
 * @param contextTokens of each of them, prompt and answer, at least 1
 * @param port on 127.0.0.1; empty: a free one
 * @param log what it prints is added here
 * @param more arguments of the server's own
 */
public record VllmOptions(
        Path binary,
        Path model,
        String alias,
        int slots,
        int contextTokens,
        Optional<Integer> port,
        Path log,
        List<String> more)
        implements ModelServer.Command {

    public static final String VERSION = "0.22.0";

    public VllmOptions {
        more = List.copyOf(more);
    }

    /** Four sequences of 512 tokens, a free port. */
    public static VllmOptions of(Path binary, Path model, Path log) {
        return new VllmOptions(binary, model, "smollm2", 4, 512, Optional.empty(), log, List.of());
    }

    /** The Python of the environment that was installed on this machine, if there is one. */
    public static Optional<Path> find() {
        return Optional.of(ModelServer.cache()
                        .resolve("vllm")
                        .resolve(VERSION)
                        .resolve("bin")
                        .resolve("python"))
                .filter(Files::isExecutable);
    }

    /**
     * Writes a model as vLLM takes it, in single precision.
     *
     * @param python of {@link #find}
     * @param gguf a GGUF file of the llama architecture
     * @return {@code to}
     * @throws IllegalStateException it cannot be read; the message says what the program printed
     */
    public static Path convert(Path python, Path gguf, Path to) throws IOException, InterruptedException {
        Path script = python.resolveSibling("gguf_to_safetensors.py");
        Process process = new ProcessBuilder(python.toString(), script.toString(), gguf.toString(), to.toString())
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(script + ": exit code " + process.exitValue() + "\n" + printed);
        }
        return to;
    }

    public VllmOptions with(String... arguments) {
        return new VllmOptions(binary, model, alias, slots, contextTokens, port, log, List.of(arguments));
    }

    /** Without what saves time when run for hours and costs it at the start. */
    @Override
    public List<String> commandLine(String host, int listenPort) {
        List<String> line = new ArrayList<>(List.of(
                binary.toString(),
                "-m",
                "vllm.entrypoints.openai.api_server",
                "--model",
                model.toString(),
                "--served-model-name",
                alias,
                "--host",
                host,
                "--port",
                Integer.toString(listenPort),
                "--max-num-seqs",
                Integer.toString(slots),
                "--max-model-len",
                Integer.toString(contextTokens),
                "--enforce-eager",
                "--no-enable-prefix-caching"));
        line.addAll(more);
        return line;
    }

    /** Nothing from the network, a gigabyte for keys and values, and no C++ compiler, which takes a minute at each start. */
    @Override
    public Map<String, String> environment() {
        return Map.of(
                "HF_HUB_OFFLINE", "1",
                "VLLM_NO_USAGE_STATS", "1",
                "DO_NOT_TRACK", "1",
                "VLLM_CPU_KVCACHE_SPACE", "1",
                "TORCHDYNAMO_DISABLE", "1");
    }
}
