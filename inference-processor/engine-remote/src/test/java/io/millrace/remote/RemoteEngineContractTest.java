package io.millrace.remote;

import io.millrace.engine.EngineContract;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** The remote engine, before a server that answers when it is told to. */
class RemoteEngineContractTest extends EngineContract {

    @Override
    protected Rig open(int maxRunning, int maxWaiting) throws IOException {
        CountDownLatch released = new CountDownLatch(1);
        SocketServer server = SocketServer.start((request, reply) -> {
            reply.events();
            released.await();
            reply.said("abc").finished("length").usage(3, 16).event("[DONE]").end();
        });
        RemoteEngine engine = RemoteEngine.open(
                "m",
                RemoteOptions.builder("m")
                        .version("1")
                        .maxNumSeqs(maxRunning)
                        .maxWaiting(maxWaiting)
                        .endpoints(List.of(RemoteOptions.Server.of("a", server.url())))
                        .build());
        return new Rig() {
            @Override
            public InferenceEngine engine() {
                return engine;
            }

            @Override
            public void release() {
                released.countDown();
            }

            @Override
            public void close() {
                engine.close();
                try {
                    server.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    @Override
    protected InferenceRequest wrong(String id) {
        return new InferenceRequest(
                id,
                Operation.RERANK,
                new Input.Text("abc"),
                SamplingParameters.DEFAULT,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                System.nanoTime());
    }
}
