package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.EngineBench;
import io.millrace.bench.EngineBench.Plan;
import io.millrace.bench.EngineBench.Rates;
import io.millrace.bench.EngineBench.Report;
import io.millrace.bench.Sample;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Backends;
import io.millrace.llm.model.LoadedModel;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code millrace bench}: measurements. */
final class BenchCommand {

    private static final int PIPED_COLUMNS = 120;

    private BenchCommand() {}

    /** Groups the others. */
    @Command(
            name = "bench",
            synopsisSubcommandLabel = "COMMAND",
            description = "Measures this machine.",
            footer = {"", "Example:", "  millrace bench engine"})
    static final class Group {}

    /** {@code bench engine}. */
    @Command(
            name = "engine",
            description = {
                "Measures prefill and decode tokens per second of a model at 1, 8 and 32 sequences, and what the batch gains.",
                "",
                "All batch sizes take turns in each round; medians are printed with the least and the most. Before it times, it checks"
                        + " that a step of 32 sequences dequantizes as many weight tiles as a step of one."
            },
            footer = {
                "",
                "Examples:",
                "  millrace bench engine",
                "  millrace bench engine --rounds 9 --threads 2 --json > engine.json"
            })
    static final class Engine implements Callable<Integer> {

        private final Session session;

        @Mixin
        ModelOption model = new ModelOption();

        @Option(
                names = "--rounds",
                paramLabel = "N",
                defaultValue = "5",
                description = "Counted rounds (default: ${DEFAULT-VALUE}).")
        int rounds = 5;

        @Option(
                names = "--threads",
                paramLabel = "N",
                defaultValue = "0",
                description = "Threads that compute; 0 is one for each core (default: ${DEFAULT-VALUE}).")
        int threads;

        @Option(
                names = "--backend",
                paramLabel = "NAME",
                defaultValue = "auto",
                description = "auto, cpu or reference (default: ${DEFAULT-VALUE}).")
        String backend = "auto";

        @Option(names = "--json", description = "Print one JSON object.")
        boolean json;

        Engine(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws IOException {
            Session.LocalModel local = session.model(model.model);
            Terminal terminal = session.terminal();
            Report report = measure(local);
            if (json) {
                Json.print(terminal.out(), json(local, report));
            } else {
                print(terminal, local, report);
            }
            return ExitCode.OK.value;
        }

        private Report measure(Session.LocalModel local) throws IOException {
            try (var progress = new ProgressLine(session.terminal());
                    Backend opened = Backends.open(backend, threads)) {
                Plan plan = plan();
                LoadedModel loaded = LoadedModel.load(local.file(), opened);
                return EngineBench.run(loaded, plan, text -> progress.update("bench engine: " + text));
            } catch (IllegalArgumentException e) {
                throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
            }
        }

        private Plan plan() {
            Plan usual = Plan.DEFAULT;
            return new Plan(
                    usual.sequences(), usual.promptTokens(), usual.decodeTokens(), rounds, usual.maxNumBatchedTokens());
        }

        private static void print(Terminal terminal, Session.LocalModel model, Report report) {
            PrintStream out = terminal.out();
            Plan plan = report.plan();
            out.printf(
                    Locale.ROOT,
                    "%s on backend %s: %d tokens in, %d out, %d rounds, tokens/s as median (least to most)%n%n",
                    model.settings().name(),
                    report.backend(),
                    plan.promptTokens(),
                    plan.decodeTokens(),
                    plan.rounds());
            Table table = new Table()
                    .column("SEQUENCES", Table.Align.RIGHT)
                    .column("PREFILL", Table.Align.RIGHT)
                    .column("DECODE", Table.Align.RIGHT)
                    .column("DECODE / FIRST ROW", Table.Align.RIGHT);
            for (Rates rates : report.rates()) {
                table.row(
                        rates.sequences(),
                        text(rates.prefill()),
                        text(rates.decode()),
                        String.format(Locale.ROOT, "%.2f", rates.decodeRatio()));
            }
            table.print(out, terminal.outColumns().orElse(PIPED_COLUMNS));
            Rates last = report.rates().getLast();
            out.printf(
                    Locale.ROOT,
                    "%ndecode@%d / decode@%d = %.2f%n",
                    last.sequences(),
                    report.rates().getFirst().sequences(),
                    last.decodeRatio());
            report.tilesPerStep()
                    .ifPresent(tiles -> out.printf(
                            Locale.ROOT, "weight tiles dequantized per decode step, at any batch size: %d%n", tiles));
        }

        private static String text(Sample sample) {
            return String.format(Locale.ROOT, "%.0f (%.0f to %.0f)", sample.median(), sample.least(), sample.most());
        }

        private static ObjectNode json(Session.LocalModel model, Report report) {
            ObjectNode json = Json.object()
                    .put("model", model.settings().name())
                    .put("backend", report.backend())
                    .put("processors", Runtime.getRuntime().availableProcessors())
                    .put("java", Runtime.version().toString())
                    .put("prompt_tokens", report.plan().promptTokens())
                    .put("decode_tokens", report.plan().decodeTokens())
                    .put("rounds", report.plan().rounds());
            report.tilesPerStep().ifPresent(tiles -> json.put("tiles_per_step", tiles));
            ArrayNode rows = json.putArray("rates");
            for (Rates rates : report.rates()) {
                ObjectNode row = rows.addObject().put("sequences", rates.sequences());
                row.set("prefill_tokens_per_second", json(rates.prefill()));
                row.set("decode_tokens_per_second", json(rates.decode()));
                row.put("decode_ratio", rates.decodeRatio());
            }
            return json;
        }

        private static ObjectNode json(Sample sample) {
            ObjectNode json = Json.object()
                    .put("median", sample.median())
                    .put("min", sample.least())
                    .put("max", sample.most());
            json.set("values", Json.tree(sample.values()));
            return json;
        }
    }
}
