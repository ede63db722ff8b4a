package io.millrace.servers;

import io.millrace.devstack.LlamaServer;
import io.millrace.devstack.LlamaServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.CountDownLatch;

/** Starts a server, writes down which process it is, and waits to be killed. */
final class ServerHolder {

    private ServerHolder() {}

    /** Arguments: the model, the server's log, the file to write to. */
    public static void main(String[] args) throws IOException, InterruptedException {
        LlamaServer server = LlamaServer.start(
                LlamaServerOptions.of(LlamaServer.find().orElseThrow(), Path.of(args[0]), Path.of(args[1]))
                        .withSlots(1, 128));
        Path told = Path.of(args[2]);
        Path half = told.resolveSibling("half");
        Files.writeString(half, Long.toString(server.pid()));
        Files.move(half, told, StandardCopyOption.ATOMIC_MOVE);
        new CountDownLatch(1).await();
    }
}
