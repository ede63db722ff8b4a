package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.chaos.ChaosPlan;
import io.millrace.bench.chaos.ChaosReport;
import io.millrace.devstack.oracle.Place;
import java.time.Duration;
import java.util.Set;

/** A chaos report as JSON; times in milliseconds, places as partition@offset. */
final class ChaosJson {

    private ChaosJson() {}

    static ObjectNode of(ChaosReport report) {
        ObjectNode json = Json.object().put("clean", report.isClean());
        json.set("violations", Json.tree(report.violations()));
        json.set("plan", plan(report.plan()));
        json.set("totals", totals(report.totals()));
        json.put("drain_ms", report.drain().toMillis());
        json.put("workers_started", report.workersStarted());
        json.set("unasked_exits", Json.tree(report.unaskedExits()));
        ArrayNode lines = json.putArray("faults");
        for (ChaosReport.Line line : report.lines()) {
            ObjectNode row =
                    lines.addObject().put("fault", line.kind().toString()).put("count", line.count());
            row.set(
                    "recovery_ms",
                    Json.tree(line.recoveries().stream().map(Duration::toMillis).toList()));
        }
        ArrayNode happened = json.putArray("happened");
        for (ChaosReport.Happened fault : report.happened()) {
            happened.addObject()
                    .put("at_ms", fault.at().toMillis())
                    .put("fault", fault.kind().toString())
                    .put("target", fault.target());
        }
        json.put("processors", Runtime.getRuntime().availableProcessors())
                .put("java", Runtime.version().toString());
        return json;
    }

    private static ObjectNode plan(ChaosPlan plan) {
        return Json.object()
                .put("minutes", plan.time().toMillis() / 60_000.0)
                .put("seed", plan.seed())
                .put("workers", plan.workers())
                .put("prompts_per_second", plan.rate())
                .put("gap_ms", plan.gap().toMillis())
                .put("model", String.valueOf(plan.worker().model().getFileName()));
    }

    private static ObjectNode totals(ChaosReport.Totals totals) {
        ObjectNode json = Json.object()
                .put("prompts", totals.prompts())
                .put("answered", totals.answered())
                .put("failed", totals.failed())
                .put("answer_tokens", totals.answerTokens())
                .put("generated_tokens", totals.generatedTokens())
                .put("adopted_requests", totals.adoptedRuns())
                .put("adopted_tokens", totals.adoptedTokens());
        json.set("lost", places(totals.lost()));
        json.set("doubled", places(totals.doubled()));
        json.set("wrongly_failed", places(totals.wronglyFailed()));
        return json;
    }

    private static ArrayNode places(Set<Place> places) {
        ArrayNode array = Json.array();
        places.forEach(place -> array.add(place.toString()));
        return array;
    }
}
