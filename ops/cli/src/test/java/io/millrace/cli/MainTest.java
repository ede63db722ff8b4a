package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    @TempDir
    Path folder;

    @Test
    void shouldSayItsVersion() {
        Cli cli = Cli.run("--version");
        assertThat(cli.exitCode()).isZero();
        assertThat(cli.out()).startsWith("millrace 0.").contains("(Java 25");
    }

    @Test
    void shouldListCommandsAndExitCodesInHelp() {
        Cli cli = Cli.run("--help");
        assertThat(cli.exitCode()).isZero();
        assertThat(cli.out())
                .contains("demo", "process", "submit", "results", "topics", "model", "config", "generate", "tokenize")
                .contains("    4  some of the input was refused or failed; the rest was done");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "process",
                "submit",
                "results",
                "redrive",
                "cancel",
                "pause",
                "resume",
                "topics create",
                "topics check",
                "topics grow",
                "model pull",
                "model list",
                "model show",
                "config validate",
                "generate",
                "tokenize",
                "chat-template",
                "bench engine",
                "sink jsonl"
            })
    void shouldShowExamplesInTheHelpOfEachCommand(String command) {
        String[] args = (command + " --help").split(" ");
        Cli cli = Cli.run(args);
        assertThat(cli.exitCode()).isZero();
        assertThat(cli.out()).contains("Examples:\n  ", "millrace " + command);
    }

    @Test
    void shouldGuessWhatAMisspelledCommandMeant() {
        Cli cli = Cli.run("generat");
        assertThat(cli.exitCode()).isEqualTo(2);
        assertThat(cli.errLines())
                .containsExactly(
                        "millrace: Unmatched argument at index 0: 'generat'; did you mean generate?",
                        "Try 'millrace --help' for more information.");
        assertThat(cli.out()).isEmpty();
    }

    @Test
    void shouldRefuseTwoSourcesAndNone() {
        assertThat(Cli.run("generate", "--prompt", "a", "--prompt-file", "b").errLines())
                .first()
                .isEqualTo("millrace: --prompt=TEXT, --prompt-file=JSONL are mutually exclusive (specify only one)");
        assertThat(Cli.run("generate").exitCode()).isEqualTo(2);
        assertThat(Cli.run().errLines())
                .first()
                .isEqualTo("millrace: no command given, expected=one of those in --help");
    }

    @Test
    void shouldRefuseParametersOutOfRangeBeforeAnythingIsLoaded() {
        Cli cli = Cli.run("generate", "--prompt", "a", "--temperature", "3");
        assertThat(cli.exitCode()).isEqualTo(2);
        assertThat(cli.errLines()).first().isEqualTo("millrace: --temperature=3.0, expected=0 to 2");
        assertThat(Cli.run("generate", "--prompt", "a", "--max-tokens", "0").errLines())
                .first()
                .isEqualTo("millrace: --max-tokens=0, expected=at least 1");
        assertThat(Cli.run("generate", "--prompt", "a", "--logprobs", "21").errLines())
                .first()
                .isEqualTo("millrace: --logprobs=21, expected=0 to 20");
    }

    @Test
    void shouldNameAnUnknownModelAndTheKnownOnes() {
        Cli cli = Cli.run("tokenize", "--model", "smollm3", "Hi");
        assertThat(cli.exitCode()).isEqualTo(5);
        assertThat(cli.errLines())
                .containsExactly(
                        "millrace: model=smollm3, expected=a GGUF file that exists, or one of smollm2-135m-instruct");
    }

    @Test
    void shouldNameACorruptModelFileWithOffsetExpectedAndFound() throws IOException {
        Path file = folder.resolve("broken.gguf");
        Files.writeString(file, "not a model");
        Cli cli = Cli.run("tokenize", "--model", file.toString(), "Hi");
        assertThat(cli.exitCode()).isEqualTo(5);
        assertThat(cli.errLines())
                .singleElement()
                .asString()
                .startsWith("millrace: file=" + file + ", offset=0, expected=a GGUF file");
    }

    @Test
    void shouldPointAtEachErrorOfAConfiguration() throws IOException {
        Path file = folder.resolve("millrace.yaml");
        Files.writeString(file, "topic:\n  prompts: p\nhttp: {port: x}\n");
        Cli validate = Cli.run("config", "validate", file.toString());
        assertThat(validate.exitCode()).isEqualTo(3);
        assertThat(validate.errLines()).hasSize(2);
        assertThat(validate.errLines().get(0)).isEqualTo(file + ":1:1: unknown key 'topic', did you mean 'topics'?");

        Cli other = Cli.run("model", "list", "--config", file.toString());
        assertThat(other.exitCode()).isEqualTo(3);
        assertThat(other.errLines())
                .first()
                .isEqualTo("millrace: " + file + ":1:1: unknown key 'topic', did you mean 'topics'?");
    }

    @Test
    void shouldAcceptAnEmptyConfiguration() throws IOException {
        Path file = folder.resolve("empty.yaml");
        Files.writeString(file, "");
        Cli cli = Cli.run("config", "validate", file.toString());
        assertThat(cli.exitCode()).isZero();
        assertThat(cli.outLines()).containsExactly(file + ": valid");
    }

    @Test
    void shouldSayWhichFileIsMissing() {
        Path file = folder.resolve("none.jsonl");
        Cli cli = Cli.run("chat-template", "--file", file.toString());
        assertThat(cli.errLines())
                .last()
                .isEqualTo("millrace: file=" + file + ", expected=a file that exists, or - for standard input");
        assertThat(cli.exitCode()).isEqualTo(2);
    }
}
