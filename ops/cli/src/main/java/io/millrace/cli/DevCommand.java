package io.millrace.cli;

import io.millrace.devstack.EmbeddedKafka;
import io.millrace.devstack.EmbeddedKafkaOptions;
import io.millrace.devstack.KafkaStartException;
import io.millrace.devstack.RegistryDistribution;
import io.millrace.devstack.RegistryDistribution.Reach;
import io.millrace.devstack.RegistryStartException;
import io.millrace.devstack.SchemaRegistryServer;
import io.millrace.modelstore.ModelStore;
import io.millrace.schemas.serde.RecordFormat;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.config.MillraceConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code millrace dev}: a stack to develop against. */
@Command(
        name = "dev",
        description = {
            "Starts a Kafka, a schema registry and the processor on this machine, and stays up until Ctrl-C.",
            "",
            "It creates the topics and says how to connect. All listens on 127.0.0.1 only. The registry (Apicurio, through its"
                    + " Confluent-compatible interface) is fetched by Maven when it is first used, 159 MB. Records are JSON unless"
                    + " --format avro: the registry is there for both. Without --directory nothing of it stays but what was"
                    + " fetched. The models are the configuration's, of whatever engine; --model takes one alone."
        },
        footer = {
            "",
            "Examples:",
            "  millrace dev",
            "  millrace dev --no-processor --no-registry",
            "  millrace dev --format avro --directory ./dev-data"
        })
final class DevCommand implements Callable<Integer> {

    private static final int PARTITIONS = 4;
    private static final Duration LONGEST_START = Duration.ofMinutes(5);

    /** What a signal waits for: the processor's drain, the registry, the broker. */
    private static final long CLOSE_SECONDS = 90;

    private final Session session;

    @Mixin
    ModelOption model = new ModelOption();

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "9092",
            description = "Kafka's port; 0: a free one (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            defaultValue = "8081",
            description = "The registry's port; 0: a free one (default: ${DEFAULT-VALUE}).")
    int registryPort;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Where topics and schemas are kept for the next time (default: nowhere).")
    @Nullable
    Path directory;

    @Option(
            names = "--format",
            paramLabel = "json|avro",
            defaultValue = "json",
            description = "How the processor reads and writes records (default: ${DEFAULT-VALUE}).")
    RecordFormat format = RecordFormat.JSON;

    @Option(names = "--no-registry", description = "Without a schema registry.")
    boolean noRegistry;

    @Option(names = "--no-processor", description = "Without the processor: 'millrace process' may be run beside this.")
    boolean noProcessor;

    DevCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (noRegistry && format == RecordFormat.AVRO) {
            throw new CliException(ExitCode.USAGE, "--format=avro, expected=json with --no-registry");
        }
        var stop = new CountDownLatch(1);
        try (Shutdown _ = Shutdown.onSignal(stop::countDown, CLOSE_SECONDS);
                var progress = new ProgressLine(session.terminal());
                EmbeddedKafka kafka = startKafka(progress);
                @Nullable SchemaRegistryServer registry = noRegistry ? null : startRegistry(kafka, progress)) {
            MillraceConfig config = OwnKafka.config(
                    session.config(), session.config().applicationId(), kafka, PARTITIONS, recordProperties(registry));
            OwnKafka.createTopics(config);
            try (@Nullable Processor processor = noProcessor ? null : startProcessor(config, progress)) {
                progress.clear();
                new DevGreeting(config, registry, processor, format).print(session.terminal());
                untilStopped(stop, registry, processor);
            }
            return ExitCode.OK.value;
        } catch (KafkaStartException | RegistryStartException e) {
            throw new CliException(ExitCode.KAFKA, String.valueOf(e.getMessage()), e);
        }
    }

    private EmbeddedKafka startKafka(ProgressLine progress) {
        progress.update("Starting Kafka …");
        Path data = directory;
        EmbeddedKafkaOptions options = data == null
                ? EmbeddedKafkaOptions.temporary()
                : EmbeddedKafkaOptions.persistent(data.resolve("kafka"));
        return EmbeddedKafka.start(port == 0 ? options : options.withPort(port));
    }

    private SchemaRegistryServer startRegistry(EmbeddedKafka kafka, ProgressLine progress) throws InterruptedException {
        Path home = session.options().modelHome == null ? ModelStore.defaultHome() : session.options().modelHome;
        if (RegistryDistribution.find(home).isEmpty()) {
            session.terminal()
                    .err()
                    .println("Fetching the schema registry with Maven, " + RegistryDistribution.MEGABYTES
                            + " MB, this once (--no-registry does without) …");
        }
        Path distribution = RegistryDistribution.fetch(home, Reach.NETWORK);
        progress.update("Starting the schema registry …");
        Path data = directory == null ? kafka.directory() : directory;
        return SchemaRegistryServer.start(
                distribution,
                data.resolve("registry"),
                registryPort == 0 ? OptionalInt.empty() : OptionalInt.of(registryPort));
    }

    private Map<String, String> recordProperties(@Nullable SchemaRegistryServer registry) {
        Map<String, String> properties = new HashMap<>();
        properties.put(RecordFormat.VALUE_FORMAT, format.name().toLowerCase(Locale.ROOT));
        if (registry != null) {
            properties.put("schema.registry.url", registry.url());
        }
        return properties;
    }

    private Processor startProcessor(MillraceConfig config, ProgressLine progress)
            throws IOException, InterruptedException {
        List<Session.ReadyModel> models =
                model.model == null ? session.readyAll() : List.of(session.ready(model.model));
        progress.update("Loading the model …");
        Processor processor = Processor.start(
                model.model == null ? config : OwnKafka.serving(config, models.getFirst()),
                models,
                ProcessorHooks.of(ProcessorObserver.NONE));
        progress.update("Joining the group …");
        if (!processor.app().awaitRunning(LONGEST_START)) {
            processor.close();
            throw new CliException(ExitCode.INTERNAL, "the processor did not start within " + LONGEST_START);
        }
        return processor;
    }

    private static void untilStopped(
            CountDownLatch stop, @Nullable SchemaRegistryServer registry, @Nullable Processor processor)
            throws InterruptedException {
        while (!stop.await(1, TimeUnit.SECONDS)) {
            if (registry != null && !registry.isAlive()) {
                throw new CliException(ExitCode.KAFKA, "the schema registry ended; its log is " + registry.log());
            }
            if (processor != null && processor.app().stopped().isDone()) {
                throw new CliException(ExitCode.KAFKA, "the processor stopped by an error; --verbose shows its log");
            }
        }
    }
}
