package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.architecture.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of quick starts. {@code make test-clients} runs it as it is printed; every build sees that it hangs together. */
class QuickstartTest {

    private static final String FOLDER = "ops/quickstart/";
    private static final String PAGE = FOLDER + "README.md";
    private static final String STACK = "./millrace dev";
    private static final Pattern BLOCK = Pattern.compile("```sh\\n(.*?)\\n```", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\]\\((?!http)([^)#]+)\\)");
    private static final long LONGEST_MINUTES = 10;

    private final Checkout checkout = Checkout.find();

    @TempDir
    Path folder;

    @Test
    @Tag("clients")
    void shouldRunAsPrinted() throws Exception {
        @Nullable Dev stack = null;
        try {
            for (String block : blocks()) {
                if (block.startsWith(STACK)) {
                    stop(stack);
                    String arguments = block.substring(STACK.length()).strip();
                    stack = Dev.start(folder, arguments.isEmpty() ? List.of() : List.of(arguments.split(" ", 0)));
                    stack.awaitReady();
                } else {
                    run(block);
                }
            }
            stop(stack);
        } finally {
            if (stack != null) {
                stack.close();
            }
        }
    }

    private static void stop(@Nullable Dev stack) throws InterruptedException {
        if (stack != null) {
            stack.stop();
        }
    }

    private void run(String block) throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, "block", ".log");
        Process process = new ProcessBuilder("bash", "-euo", "pipefail", "-c", block)
                .directory(checkout.root().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES))
                    .as(block + "\n" + Files.readString(log))
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String output = Files.readString(log);
        assertThat(process.exitValue()).as(block + "\n" + output).isZero();
        if (block.contains("prompts.py") || block.contains("prompts_avro.py") || block.contains("prompts 127")) {
            assertThat(output).contains("Name three rivers. ", "Name three towns. ", "Name three trees. ");
        } else if (block.contains("kcat -C")) {
            assertThat(output).contains("\"request_id\":\"kcat-1\"", "\"text\":\"");
        }
    }

    @Test
    void shouldLinkToFilesThatExistAndNameCommandsThatExist() {
        Path quickstart = checkout.root().resolve(FOLDER);
        List<String> links = LINK.matcher(checkout.text(PAGE))
                .results()
                .map(link -> link.group(1))
                .toList();
        assertThat(links)
                .hasSizeGreaterThan(3)
                .allSatisfy(link -> assertThat(quickstart.resolve(link)).exists());
        assertThat(blocks()).filteredOn(block -> block.startsWith(STACK)).hasSize(2);
    }

    private List<String> blocks() {
        return BLOCK.matcher(checkout.text(PAGE))
                .results()
                .map((MatchResult block) -> block.group(1))
                .toList();
    }
}
