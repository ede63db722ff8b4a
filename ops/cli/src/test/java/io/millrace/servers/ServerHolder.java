package io.millrace.servers;

import io.millrace.devstack.LlamaServerOptions;
import io.millrace.devstack.ModelServer;
import io.millrace.devstack.ServerMetrics;
import io.millrace.devstack.VllmOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.CountDownLatch;

/** Starts a server, writes down which process it is, and waits to be killed. */
final class ServerHolder {

    private ServerHolder() {}

    /** Arguments: which server, its model, its log, the file to write to. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path model = Path.of(args[1]);
        Path log = Path.of(args[2]);
        ModelServer server = ModelServer.start(
                switch (ServerMetrics.Kind.valueOf(args[0])) {
                    case LLAMA_CPP ->
                        LlamaServerOptions.of(LlamaServerOptions.find().orElseThrow(), model, log)
                                .withSlots(1, 128);
                    case VLLM -> VllmOptions.of(VllmOptions.find().orElseThrow(), model, log);
                });
        Path told = Path.of(args[3]);
        Path half = told.resolveSibling("half");
        Files.writeString(half, Long.toString(server.pid()));
        Files.move(half, told, StandardCopyOption.ATOMIC_MOVE);
        new CountDownLatch(1).await();
    }
}
