package io.millrace.devstack;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How llama.cpp's own HTTP server runs, which {@code ops/servers/build-llama-server.sh} builds.
 *
 * @param binary the server's file
 * @param model a GGUF file
 * @param alias the model's name in requests and answers
 * @param slots requests that it works on together, at least 1
 * @param slotTokens context of each of them, prompt and answer, at least 1
 * @param threads that compute, at least 1
 * @param port on 127.0.0.1; empty: a free one
 * @param log what it prints is added here
 * @param more arguments of the server's own, such as {@code --embeddings}
 */
public record LlamaServerOptions(
        Path binary,
        Path model,
        String alias,
        int slots,
        int slotTokens,
        int threads,
        Optional<Integer> port,
        Path log,
        List<String> more)
        implements ModelServer.Command {

    /** Of the package that it is built from. */
    public static final String VERSION = "0.3.36";

    /** Names another server to use than the one that the script built. */
    public static final String VARIABLE = "MILLRACE_LLAMA_SERVER";

    /** The model's name in requests and answers, unless told otherwise. */
    public static final String ALIAS = "smollm2";

    /** Connections at a time: those that it reads no request from would wait where its metrics do not see them. */
    private static final int HTTP_THREADS = 192;

    public LlamaServerOptions {
        check("slots", slots);
        check("slot_tokens", slotTokens);
        check("threads", threads);
        more = List.copyOf(more);
    }

    /** Eight slots of 1024 tokens, a thread for each processor, a free port. */
    public static LlamaServerOptions of(Path binary, Path model, Path log) {
        return new LlamaServerOptions(
                binary,
                model,
                ALIAS,
                8,
                1024,
                Runtime.getRuntime().availableProcessors(),
                Optional.empty(),
                log,
                List.of());
    }

    /** The server that was built on this machine, if there is one. */
    public static Optional<Path> find() {
        String named = System.getenv(VARIABLE);
        return named != null
                ? Optional.of(Path.of(named))
                : Optional.of(ModelServer.cache()
                                .resolve("llama-server")
                                .resolve(VERSION)
                                .resolve("llama-server"))
                        .filter(Files::isExecutable);
    }

    public LlamaServerOptions withSlots(int count, int tokens) {
        return new LlamaServerOptions(binary, model, alias, count, tokens, threads, port, log, more);
    }

    public LlamaServerOptions withThreads(int count) {
        return new LlamaServerOptions(binary, model, alias, slots, slotTokens, count, port, log, more);
    }

    public LlamaServerOptions with(String... arguments) {
        return new LlamaServerOptions(binary, model, alias, slots, slotTokens, threads, port, log, List.of(arguments));
    }

    /** Nothing of earlier prompts is kept in memory beside the slots: it would make a second run of the same prompts faster. */
    @Override
    public List<String> commandLine(String host, int listenPort) {
        List<String> line = new ArrayList<>(List.of(
                binary.toString(),
                "--model",
                model.toString(),
                "--alias",
                alias,
                "--host",
                host,
                "--port",
                Integer.toString(listenPort),
                "--parallel",
                Integer.toString(slots),
                "--ctx-size",
                Integer.toString(slots * slotTokens),
                "--threads",
                Integer.toString(threads),
                "--threads-http",
                Integer.toString(HTTP_THREADS),
                "--cache-ram",
                "0",
                "--metrics"));
        line.addAll(more);
        return line;
    }

    private static void check(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=at least 1");
        }
    }
}
