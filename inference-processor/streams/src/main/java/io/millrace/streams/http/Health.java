package io.millrace.streams.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.EngineStats;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The application's status as probes and people read it. */
final class Health {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Optional<ProcessorStatus> status;

    /** @param status empty while the application has not begun to start */
    Health(Optional<ProcessorStatus> status) {
        this.status = status;
    }

    boolean isLive() {
        return status.map(ProcessorStatus::isLive).orElse(true);
    }

    boolean isReady() {
        return status.map(ProcessorStatus::isReady).orElse(false);
    }

    String live() {
        return object(isLive() ? "live" : "dead").toPrettyString() + "\n";
    }

    String ready() {
        ObjectNode object = object(isReady() ? "ready" : "not ready");
        reasons().forEach(object.putArray("reasons")::add);
        status.ifPresent(now -> {
            object.put("pending", now.pending());
            object.put("max_pending", now.limits().maxPending());
            object.put("pending_bytes", now.pendingBytes());
            object.put("paused", now.paused());
            ObjectNode engines = object.putObject("engines");
            now.engines().forEach((model, stats) -> engine(engines.putObject(model), stats));
        });
        return object.toPrettyString() + "\n";
    }

    private ObjectNode object(String word) {
        return JSON.createObjectNode()
                .put("status", word)
                .put("state", status.map(now -> now.state().name()).orElse(ProcessorStatus.State.STARTING.name()));
    }

    private static void engine(ObjectNode object, EngineStats stats) {
        object.put("healthy", stats.healthy())
                .put("running", stats.running())
                .put("waiting", stats.waiting())
                .put("kv_cache_usage_perc", stats.kvCacheUsage());
    }

    /** Why it is not ready, or fetches nothing although it is. */
    private List<String> reasons() {
        if (status.isEmpty()) {
            return List.of("models are being loaded");
        }
        ProcessorStatus now = status.get();
        List<String> reasons = new ArrayList<>();
        switch (now.state()) {
            case STARTING -> reasons.add("joining the group and restoring what is pending");
            case CLOSING -> reasons.add("shutting down");
            case CLOSED -> reasons.add("closed");
            case FAILED -> reasons.add("stopped by an error, see the log");
            case RUNNING, REBALANCING -> {}
        }
        now.closures().forEach(closure -> reasons.add(reason(closure, now)));
        now.engines().forEach((model, stats) -> {
            if (!stats.healthy()) {
                reasons.add("engine of model " + model + " is not healthy");
            }
        });
        return reasons;
    }

    private static String reason(Closure closure, ProcessorStatus now) {
        return switch (closure.reason()) {
            case FULL ->
                "nothing is fetched: pending=" + now.pending() + " of "
                        + now.limits().maxPending() + ", bytes=" + now.pendingBytes() + " of "
                        + now.limits().maxPendingBytes();
            case PAUSED ->
                "nothing is fetched: paused=" + now.paused() + " of "
                        + now.limits().maxPaused() + " by " + closure.subject()
                        + ": resume or cancel it, or raise processor.max_paused";
            case REGISTRY -> "nothing is fetched: the schema registry does not answer";
            case ENGINE -> "nothing is fetched: the engine of model " + closure.subject() + " takes no requests";
            case STALLED ->
                "nothing is fetched: the engine of model " + closure.subject()
                        + " answers no more, the application stops";
            case SHUTDOWN -> "nothing is fetched: shutting down";
        };
    }
}
