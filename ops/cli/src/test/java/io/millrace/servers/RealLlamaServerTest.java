package io.millrace.servers;

import io.millrace.devstack.LlamaServerOptions;
import io.millrace.devstack.ModelServer;
import io.millrace.devstack.ServerMetrics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** llama.cpp's server. */
class RealLlamaServerTest extends RealServerContract {

    private Path file = Path.of("");

    @Override
    ModelServer start(Path model) throws InterruptedException {
        file = model;
        return ModelServer.start(options("server.log").withSlots(SLOTS, SLOT_TOKENS));
    }

    @Override
    ModelServer startEmbedder() throws InterruptedException {
        return ModelServer.start(
                options("embeddings.log").withSlots(1, SLOT_TOKENS).with("--embeddings", "--pooling", "mean"));
    }

    private LlamaServerOptions options(String log) {
        Optional<Path> binary = LlamaServerOptions.find();
        Assumptions.assumeTrue(
                binary.isPresent(),
                "no llama-server: ops/servers/build-llama-server.sh builds it, make test-servers too");
        return LlamaServerOptions.of(binary.orElseThrow(), file, folder.resolve(log));
    }

    @Override
    List<String> held() {
        return List.of(ServerMetrics.Kind.LLAMA_CPP.name(), file.toString());
    }

    @Override
    Map<String, Object> extraBody() {
        return Map.of("cache_prompt", false);
    }

    @Override
    String wrongBody() {
        return "{\"grammar\": \"root ::= [\"}";
    }
}
