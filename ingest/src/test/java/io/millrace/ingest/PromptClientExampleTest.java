package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in {@link PromptClient}'s Javadoc, compiled and run by {@code java} as it stands there. */
@WithKafka
class PromptClientExampleTest {

    private static final Path SOURCE = Path.of("src/main/java/io/millrace/ingest/PromptClient.java");
    private static final Pattern SNIPPET =
            Pattern.compile("\\{@snippet lang = java :\\n(.*?)\\n \\* \\}\\n \\*\\n", Pattern.DOTALL);

    @Test
    void shouldRunAsItStandsInTheJavadoc(TestKafka kafka, @TempDir Path folder) throws Exception {
        for (String topic : List.of("prompts", "results", "failures", "dead-letters")) {
            kafka.createTopic("millrace." + topic, 2, Map.of());
        }
        PromptClientOptions options = PromptClientOptions.of(Map.of("bootstrap.servers", kafka.bootstrapServers()));
        try (StubProcessor _ = StubProcessor.start(
                kafka,
                options,
                received -> List.of(
                        received.request().getPrompt().contains("towns")
                                ? StubProcessor.failure(options, received, "no towns today")
                                : StubProcessor.result(
                                        options, received, received.request().getPrompt())))) {
            assertThat(run(example(folder), kafka.bootstrapServers(), folder))
                    .containsExactly("Name three rivers.", "INVALID_REQUEST: no towns today", "Name three trees.");
        }
    }

    private static Path example(Path folder) throws IOException {
        Matcher snippet = SNIPPET.matcher(Files.readString(SOURCE));
        assertThat(snippet.find()).isTrue();
        String program = snippet.group(1).replaceAll("(?m)^ \\* ?", "");
        return Files.writeString(folder.resolve("Example.java"), program);
    }

    private static List<String> run(Path example, String bootstrap, Path folder) throws Exception {
        Path out = folder.resolve("out.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
                        "-cp",
                        System.getProperty("java.class.path"),
                        example.toString(),
                        bootstrap)
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("err.txt").toFile())
                .start();
        try {
            assertThat(process.waitFor(TestKafka.TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(process.exitValue())
                    .as(Files.readString(folder.resolve("err.txt")))
                    .isZero();
        } finally {
            process.destroyForcibly();
        }
        return Files.readAllLines(out, StandardCharsets.UTF_8);
    }
}
