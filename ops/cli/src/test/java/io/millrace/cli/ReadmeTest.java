package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.millrace.architecture.Checkout;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.TopicSettings;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's commands parse, its configuration is valid, its links lead somewhere. */
class ReadmeTest {
    private static final Checkout CHECKOUT = Checkout.find();
    /** These two are the launcher's, not the command's. */
    private static final List<String> LAUNCHER = List.of("test", "matrix", "mvn");

    private final String readme = CHECKOUT.text("README.md");

    @Test
    void shouldPrintCommandsThatExist() {
        List<String> commands = matches("(?m)^(?:echo .* \\| )?\\./millrace ([^#\\n]+)");
        assertThat(commands).hasSizeGreaterThan(8);
        for (String command : commands) {
            String[] arguments = words(command);
            if (!LAUNCHER.contains(arguments[0])) {
                assertThatCode(() -> Main.commandLine(silent()).parseArgs(arguments))
                        .as(command)
                        .doesNotThrowAnyException();
            }
        }
    }

    @Test
    void shouldShowAValidConfiguration() throws Exception {
        List<String> blocks = matches("(?s)```yaml\\n(.*?)```");
        Set<String> models = new TreeSet<>();
        for (String block : blocks) {
            models.addAll(MillraceConfig.parse("README.md", block).models().keySet());
        }
        assertThat(models).containsExactly("llama-70b", "my-model", "on-triton");
    }

    @Test
    void shouldLinkToFilesThatExist() {
        List<String> links = matches("\\]\\((?!http)([^)#]+)\\)");
        assertThat(links)
                .isNotEmpty()
                .allSatisfy(link -> assertThat(CHECKOUT.root().resolve(link)).exists());
    }

    @Test
    void shouldNameTheTopics() throws Exception {
        TopicSettings topics = MillraceConfig.parse("empty", "").topics();
        for (String topic : List.of(
                topics.prompts(),
                topics.results(),
                topics.failures(),
                topics.metrics(),
                topics.engineMetrics(),
                topics.deadLetters(),
                topics.control())) {
            assertThat(readme).contains("| `" + topic + "` |");
        }
    }

    private List<String> matches(String pattern) {
        return Pattern.compile(pattern)
                .matcher(readme)
                .results()
                .map(match -> match.group(1).strip())
                .toList();
    }

    /** Split at blanks outside double quotes, as a shell would. */
    private static String[] words(String command) {
        return Pattern.compile("\"([^\"]*)\"|(\\S+)")
                .matcher(command)
                .results()
                .map(match -> match.group(1) == null ? match.group(2) : match.group(1))
                .toArray(String[]::new);
    }

    private static Terminal silent() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        return new Terminal(
                new ByteArrayInputStream(new byte[0]), nowhere, nowhere, OptionalInt.empty(), OptionalInt.empty());
    }
}
