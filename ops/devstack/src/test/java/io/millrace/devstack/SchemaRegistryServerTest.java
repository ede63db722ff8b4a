package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaRegistryServerTest {

    @TempDir
    Path folder;

    @Test
    @WithRegistry
    void shouldKnowAfterARestartWhatItKnew() throws Exception {
        String versions = "/subjects/t-value/versions";
        int port;
        try (var server = SchemaRegistryServer.start(TestRegistry.distribution(), folder, OptionalInt.empty())) {
            port = URI.create(server.url()).getPort();
            assertThat(post(server.url() + versions, "{\"schema\":\"\\\"string\\\"\"}"))
                    .contains("\"id\":");
            server.kill();
        }
        try (var server = SchemaRegistryServer.start(TestRegistry.distribution(), folder, OptionalInt.of(port))) {
            assertThat(get(server.url() + versions)).isEqualTo("[1]");
        }
    }

    @Test
    void shouldSayThatItsPortIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = taken.getLocalPort();
            assertThatThrownBy(() -> SchemaRegistryServer.start(folder, folder, OptionalInt.of(port)))
                    .hasMessage(
                            "port=" + port + ", expected=a free port: another process listens on 127.0.0.1:" + port);
        }
    }

    @Test
    void shouldSayWhyItDidNotStart() throws Exception {
        Path noRegistry = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> SchemaRegistryServer.start(noRegistry, folder, OptionalInt.empty()))
                .isInstanceOf(RegistryStartException.class)
                .hasMessageStartingWith("the schema registry ended; its log is " + folder.resolve("registry.log"))
                .hasMessageContaining("ClassNotFoundException: io.quarkus.bootstrap.runner.QuarkusEntryPoint");
    }

    private static String get(String url) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url)));
    }

    private static String post(String url, String body) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private static String send(HttpRequest.Builder request) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }
}
