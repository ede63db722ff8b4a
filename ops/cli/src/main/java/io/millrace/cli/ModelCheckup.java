package io.millrace.cli;

import io.millrace.cli.Checkup.Area;
import io.millrace.cli.Checkup.Severity;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.modelstore.CachedModel;
import io.millrace.modelstore.ModelStore;
import io.millrace.remote.EndpointProbe;
import io.millrace.streams.config.EchoSettings;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Models' files, and the servers that have models. */
final class ModelCheckup {

    private final Checkup checkup;
    private final ModelStore store;

    ModelCheckup(Checkup checkup, ModelStore store) {
        this.checkup = checkup;
        this.store = store;
    }

    void run(Collection<ModelSettings> models) throws InterruptedException {
        for (ModelSettings model : models) {
            switch (model.engine()) {
                case LlmSettings llm -> file(model.name(), llm);
                case RemoteSettings remote -> servers(model, remote);
                case EchoSettings _ -> checkup.note(Area.MODELS, model.name() + ": engine echo, no model");
            }
        }
    }

    private void file(String name, LlmSettings llm) {
        String pull = "'millrace model pull " + name + "'";
        try {
            Optional<CachedModel> cached = store.find(llm.spec());
            if (cached.isEmpty() || cached.get().state() == CachedModel.State.MISSING) {
                checkup.note(
                        Area.MODELS,
                        name + ": not here yet; 'process' fetches it from "
                                + llm.spec().source().shown() + ", and " + pull + " does so before");
            } else if (cached.get().state() == CachedModel.State.CHANGED) {
                checkup.found(
                        Area.MODELS,
                        Severity.WARNING,
                        name + ": " + cached.get().path() + " has changed since it was verified",
                        pull + " computes its digest again, and says whether it is the one expected");
            } else {
                read(name, cached.get().path());
            }
        } catch (IOException | IllegalArgumentException e) {
            checkup.found(
                    Area.MODELS,
                    Severity.ERROR,
                    name + ": " + e.getMessage(),
                    "put the file where source says, or change source");
        }
    }

    private void read(String name, Path file) throws IOException {
        try (GgufFile gguf = GgufFile.open(file)) {
            checkup.ok(
                    Area.MODELS,
                    name + ": " + file + ", " + (gguf.byteSize() >> 20) + " MiB, "
                            + gguf.metadata().describe("general.architecture"));
        } catch (GgufException e) {
            checkup.found(
                    Area.MODELS,
                    Severity.ERROR,
                    name + ": " + e.getMessage(),
                    "remove " + file + " and fetch it again, or take another file");
        }
    }

    private void servers(ModelSettings model, RemoteSettings remote) throws InterruptedException {
        List<EndpointProbe.Report> reports;
        try {
            reports = EndpointProbe.probe(RemoteEngines.options(model, remote));
        } catch (IllegalArgumentException e) {
            checkup.found(
                    Area.MODELS,
                    Severity.ERROR,
                    model.name() + ": " + e.getMessage(),
                    "correct models." + model.name() + ".remote, or set the variable or write the file that it names");
            return;
        }
        Severity ifUnusable =
                reports.stream().anyMatch(EndpointProbe.Report::isUsable) ? Severity.WARNING : Severity.ERROR;
        for (EndpointProbe.Report report : reports) {
            endpoint(model, report, ifUnusable);
            report.signal().ifPresent(signal -> slack(model, report, signal, ifUnusable));
        }
    }

    private void endpoint(ModelSettings model, EndpointProbe.Report report, Severity ifAway) {
        String what = model.name() + ": endpoint " + report.endpoint() + " (" + report.url() + ") ";
        switch (report.health()) {
            case FINE -> {
                checkup.ok(Area.MODELS, what + report.message());
                compareLength(model, report);
            }
            case DOUBTFUL ->
                checkup.found(
                        Area.MODELS,
                        Severity.WARNING,
                        what + report.message(),
                        "set remote.model to the server's name of the model, unless it takes any; the url of most servers ends in /v1");
            case UNLISTED ->
                checkup.found(
                        Area.MODELS,
                        Severity.WARNING,
                        what + report.message(),
                        "try ./millrace generate: only an answer tells whether the server has the model");
            case AWAY ->
                checkup.found(
                        Area.MODELS,
                        ifAway,
                        what + report.message(),
                        "start the server, or correct its url, api_key or model; prompts wait in Kafka meanwhile");
        }
    }

    private void slack(
            ModelSettings model, EndpointProbe.Report report, EndpointProbe.Signal signal, Severity ifUnread) {
        String what = model.name() + ": slack at endpoint " + report.endpoint() + ": " + signal.message();
        if (signal.wasRead()) {
            checkup.ok(Area.MODELS, what);
        } else {
            checkup.found(
                    Area.MODELS,
                    ifUnread,
                    what,
                    "correct remote.slack, or metrics_url of the endpoint; without a reading it is sent nothing, and prompts wait"
                            + " in Kafka");
        }
    }

    private void compareLength(ModelSettings model, EndpointProbe.Report report) {
        if (report.maxModelLen().isEmpty()) {
            return;
        }
        int served = report.maxModelLen().getAsInt();
        if (model.maxModelLen().isPresent() && model.maxModelLen().getAsInt() > served) {
            checkup.found(
                    Area.MODELS,
                    Severity.WARNING,
                    model.name() + ": max_model_len=" + model.maxModelLen().getAsInt() + ", expected=at most " + served
                            + ", which endpoint " + report.endpoint() + " takes",
                    "lower max_model_len");
        }
    }
}
