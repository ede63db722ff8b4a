package io.millrace.streams.testing;

import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.Breaker;
import io.millrace.remote.RemoteOptions.Retries;
import io.millrace.remote.RemoteOptions.Server;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** Remote engines in front of a {@link ChatServer}, which soon notice that it is back. */
public final class RemoteEngines {

    private RemoteEngines() {}

    public static RemoteEngine open(URI url) {
        return RemoteEngine.open(
                TestApp.MODEL,
                RemoteOptions.builder("served")
                        .endpoints(List.of(Server.of("only", url)))
                        .retries(new Retries(3, 0.2, Duration.ofMillis(10), Duration.ofMillis(200)))
                        .breaker(new Breaker(0.5, 10, Duration.ofMillis(200)))
                        .build());
    }
}
