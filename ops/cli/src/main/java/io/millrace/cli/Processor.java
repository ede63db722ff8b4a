package io.millrace.cli;

import io.micrometer.core.instrument.binder.MeterBinder;
import io.millrace.engine.InferenceEngine;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.metrics.PrometheusMetrics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The processor as {@code process} and {@code demo} run it: an engine for each model, and the topology.
 *
 * <p>Threads: any.
 */
final class Processor implements AutoCloseable {

    private final List<InferenceEngine> engines;
    private final ProcessorApp app;

    private Processor(List<InferenceEngine> engines, ProcessorApp app) {
        this.engines = engines;
        this.app = app;
    }

    /** Loads the models and joins the group. */
    static Processor start(MillraceConfig config, List<? extends Session.ReadyModel> models, ProcessorHooks hooks)
            throws IOException {
        List<InferenceEngine> engines = new ArrayList<>();
        try {
            Map<String, ServedModel> served = new LinkedHashMap<>();
            for (Session.ReadyModel model : models) {
                InferenceEngine engine = Engines.open(model);
                engines.add(engine);
                served.put(model.settings().name(), new ServedModel(engine, Engines.defaults(model.settings())));
            }
            return new Processor(engines, ProcessorApp.start(ProcessorSettings.of(config), served, hooks));
        } catch (IOException | RuntimeException e) {
            engines.forEach(InferenceEngine::close);
            throw e;
        }
    }

    /** Engines with metrics of their own show them there. */
    void bindTo(PrometheusMetrics metrics) {
        for (InferenceEngine engine : engines) {
            if (engine instanceof MeterBinder binder) {
                metrics.bind(binder);
            }
        }
    }

    ProcessorApp app() {
        return app;
    }

    /** Finishes what is under way for a while, leaves the group, frees the models. Returns whether nothing was left pending. */
    boolean close(Duration drainTimeout) {
        boolean drained = app.close(drainTimeout);
        engines.forEach(InferenceEngine::close);
        return drained;
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
