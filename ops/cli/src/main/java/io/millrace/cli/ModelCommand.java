package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.gguf.GgufTensor;
import io.millrace.modelstore.CachedModel;
import io.millrace.modelstore.ModelSpec;
import io.millrace.modelstore.ModelStore;
import io.millrace.streams.config.EchoSettings;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millrace model}: the model store. */
final class ModelCommand {

    private ModelCommand() {}

    /** Groups the others. */
    @Command(
            name = "model",
            synopsisSubcommandLabel = "COMMAND",
            description = "Fetches, lists and shows the models of the configuration.",
            footer = {"", "Examples:", "  millrace model pull", "  millrace model list", "  millrace model show NAME"})
    static final class Group {}

    /** {@code model pull}. */
    @Command(
            name = "pull",
            description = "Fetches models into the cache and verifies them; what is there already is only verified.",
            footer = {"", "Examples:", "  millrace model pull", "  millrace model pull smollm2-135m-instruct"})
    static final class Pull implements Callable<Integer> {

        private final Session session;

        @Parameters(
                paramLabel = "NAME",
                arity = "0..1",
                description = "A model of the configuration (default: all of them).")
        @Nullable
        String name;

        Pull(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws IOException {
            Map<String, ModelSettings> wanted =
                    name == null ? session.config().models() : Map.of(name, require(session, name));
            for (ModelSettings settings : wanted.values()) {
                Optional<LlmSettings> llm = Session.llm(settings);
                if (llm.isPresent()) {
                    pull(llm.get().spec());
                } else if (name != null) {
                    throw new CliException(
                            ExitCode.MODEL,
                            "model=" + name + ", expected=one of engine llm: engine "
                                    + settings.engine().kind() + " has no file to fetch");
                }
            }
            return ExitCode.OK.value;
        }

        private void pull(ModelSpec spec) throws IOException {
            try (var progress = new FetchProgress(session.terminal(), spec)) {
                CachedModel model = session.store().fetchModel(spec, ModelStore.Check.ALWAYS, progress);
                session.terminal().out().println(model.path());
            }
        }
    }

    /** {@code model list}. */
    @Command(
            name = "list",
            description = "Lists the configuration's models and what is in the cache.",
            footer = {"", "Examples:", "  millrace model list", "  millrace model list --json"})
    static final class ListModels implements Callable<Integer> {

        private final Session session;

        @Option(names = "--json", description = "Print a line of JSON for each model.")
        boolean json;

        ListModels(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws IOException {
            Map<String, ObjectNode> rows = new LinkedHashMap<>();
            for (ModelSettings settings : session.config().models().values()) {
                rows.put(settings.name(), row(settings).put("configured", true));
            }
            for (CachedModel cached : session.store().list()) {
                rows.putIfAbsent(cached.name(), json(cached).put("configured", false));
            }
            if (json) {
                rows.values().forEach(row -> Json.print(session.terminal().out(), row));
            } else {
                printTable(rows);
            }
            return ExitCode.OK.value;
        }

        private ObjectNode row(ModelSettings settings) throws IOException {
            ObjectNode row = Json.object().put("name", settings.name());
            return switch (settings.engine()) {
                case LlmSettings llm ->
                    session.store()
                            .find(llm.spec())
                            .map(ModelCommand::json)
                            .orElseGet(
                                    () -> row.put("source", llm.spec().source().shown())
                                            .put("state", "absent"));
                case RemoteSettings remote ->
                    row.put("source", Engines.shown(remote)).put("state", "remote");
                case EchoSettings _ -> row.put("source", "echo").put("state", "echo");
            };
        }

        private void printTable(Map<String, ObjectNode> rows) {
            Table table = new Table()
                    .column("MODEL")
                    .column("STATE")
                    .column("BYTES", Table.Align.RIGHT)
                    .column("CONFIGURED")
                    .column("SOURCE");
            for (ObjectNode row : rows.values()) {
                table.row(
                        row.path("name").asText(),
                        row.path("state").asText(),
                        row.path("size_bytes").asText("-"),
                        row.path("configured").asBoolean() ? "yes" : "no",
                        row.path("source").asText());
            }
            table.print(
                    session.terminal().out(), session.terminal().outColumns().orElse(Integer.MAX_VALUE));
        }
    }

    /** {@code model show}. */
    @Command(
            name = "show",
            description = "Shows a model's file and what its metadata says, as JSON.",
            footer = {"", "Examples:", "  millrace model show", "  millrace model show ./some.gguf"})
    static final class Show implements Callable<Integer> {

        private final Session session;

        @Parameters(
                paramLabel = "NAME|FILE",
                arity = "0..1",
                description =
                        "A model of the configuration, or a GGUF file (default: the configuration's default model).")
        @Nullable
        String model;

        Show(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws IOException {
            Session.LocalModel local = session.model(model);
            ObjectNode json = Json.object()
                    .put("name", local.settings().name())
                    .put("path", local.file().toAbsolutePath().toString());
            local.digest().ifPresent(digest -> json.put("digest", digest));
            try (GgufFile gguf = session.openGguf(local)) {
                describe(gguf, json);
            }
            session.terminal().out().println(json.toPrettyString());
            return ExitCode.OK.value;
        }
    }

    private static void describe(GgufFile gguf, ObjectNode json) {
        json.put("size_bytes", gguf.byteSize()).put("gguf_version", gguf.version());
        ObjectNode metadata = json.putObject("metadata");
        for (String key : gguf.metadata().keys()) {
            metadata.put(key, gguf.metadata().describe(key));
        }
        Map<String, Integer> types = new TreeMap<>();
        long elements = 0;
        for (GgufTensor tensor : gguf.tensors()) {
            types.merge(tensor.type().name(), 1, Integer::sum);
            elements += tensor.elementCount();
        }
        json.put("parameters", elements).set("tensors_by_type", Json.tree(types));
    }

    private static ModelSettings require(Session session, String name) {
        return session.config()
                .model(name)
                .orElseThrow(() -> new CliException(
                        ExitCode.MODEL,
                        "model=" + name + ", expected=one of "
                                + String.join(", ", session.config().models().keySet())));
    }

    private static ObjectNode json(CachedModel model) {
        return Json.object()
                .put("name", model.name())
                .put("source", model.source())
                .put("state", model.state().name().toLowerCase(java.util.Locale.ROOT))
                .put("path", model.path().toString())
                .put("size_bytes", model.sizeBytes())
                .put("sha256", model.sha256())
                .put("verified_at", model.verifiedAt().toString());
    }
}
