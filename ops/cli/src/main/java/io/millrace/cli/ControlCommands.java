package io.millrace.cli;

import io.millrace.ingest.PromptSubmitter;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.control.Controls;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace cancel}, {@code pause} and {@code resume}: commands in the control topic. */
final class ControlCommands {

    private ControlCommands() {}

    /** {@code cancel}. */
    @Command(
            name = "cancel",
            description = {
                "Cancels a request, a job or a tenant's prompts.",
                "",
                "Prompts that were taken in before now end in the failures topic with the code CANCELLED, those under way with the text"
                        + " they have so far; an answer that is already there stays. Later prompts are not touched."
            },
            footer = {
                "",
                "Examples:",
                "  millrace cancel --request r-4711",
                "  millrace cancel --job nightly-2026-11-24 --reason \"wrong prompt template\"",
                "  millrace cancel --tenant acme"
            })
    static final class Cancel implements Callable<Integer> {

        private final Session session;

        @ArgGroup(multiplicity = "1")
        Target target = new Target();

        /** Whose prompts; one of them. */
        static final class Target {
            @Option(names = "--request", paramLabel = "ID", description = "The prompt with this request_id.")
            @Nullable
            String request;

            @Option(names = "--job", paramLabel = "ID", description = "All prompts with this job_id.")
            @Nullable
            String job;

            @Option(names = "--tenant", paramLabel = "TENANT", description = "All prompts of this tenant.")
            @Nullable
            String tenant;
        }

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why; it stands in each failure's message.")
        @Nullable
        String reason;

        Cancel(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws InterruptedException {
            if (target.request != null) {
                return cancel(ControlScope.REQUEST, "--request", target.request);
            }
            return target.job != null
                    ? cancel(ControlScope.JOB, "--job", target.job)
                    : cancel(ControlScope.TENANT, "--tenant", String.valueOf(target.tenant));
        }

        private int cancel(ControlScope scope, String option, String name) throws InterruptedException {
            send(session, ControlAction.CANCEL, scope, option, name, reason);
            session.terminal()
                    .out()
                    .println(
                            "Instances read it within a moment, and those that are down when they start. 'millrace results'"
                                    + " shows the failures, code CANCELLED.");
            return ExitCode.OK.value;
        }
    }

    /** {@code pause}. */
    @Command(
            name = "pause",
            description = {
                "Pauses a job: its prompts wait until it is resumed.",
                "",
                "Prompts under way finish. Those that come wait in the pending store, up to processor.max_paused; deadlines go on."
            },
            footer = {"", "Examples:", "  millrace pause --job nightly-2026-11-24 --reason \"daytime\""})
    static final class Pause implements Callable<Integer> {

        private final Session session;

        @Option(names = "--job", paramLabel = "ID", required = true, description = "Prompts with this job_id.")
        String job = "";

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for those who read the control topic.")
        @Nullable
        String reason;

        Pause(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws InterruptedException {
            send(session, ControlAction.PAUSE, ControlScope.JOB, "--job", job, reason);
            session.terminal()
                    .out()
                    .println("Its prompts wait until 'millrace resume --job " + job + "', at most "
                            + ControlTopic.RETENTION.toDays() + " days, and their deadlines go on.");
            return ExitCode.OK.value;
        }
    }

    /** {@code resume}. */
    @Command(
            name = "resume",
            description = "Ends the pause of a job: its prompts go on.",
            footer = {"", "Examples:", "  millrace resume --job nightly-2026-11-24"})
    static final class Resume implements Callable<Integer> {

        private final Session session;

        @Option(names = "--job", paramLabel = "ID", required = true, description = "Prompts with this job_id.")
        String job = "";

        Resume(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws InterruptedException {
            send(session, ControlAction.RESUME, ControlScope.JOB, "--job", job, null);
            session.terminal().out().println("Its prompts go on within a moment, where they are not cancelled.");
            return ExitCode.OK.value;
        }
    }

    /** Writes the command and waits until Kafka has it. */
    private static void send(
            Session session,
            ControlAction action,
            ControlScope scope,
            String option,
            String target,
            @Nullable String reason)
            throws InterruptedException {
        if (target.isBlank()) {
            throw new CliException(ExitCode.USAGE, option + "=\"" + target + "\", expected=not blank");
        }
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        String topic = session.config().topics().control();
        KafkaAccess.require(kafka, topic);
        ControlCommand command = ControlCommand.newBuilder()
                .setCommandId(UUID.randomUUID().toString())
                .setAction(action)
                .setScope(scope)
                .setTarget(target)
                .setReason(reason)
                .setIssuedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                .build();
        // what readers would skip is refused here
        new Controls().apply(command).ifPresent(complaint -> {
            throw new CliException(ExitCode.USAGE, option + ": " + complaint);
        });
        Headers headers = new RecordHeaders();
        byte[] value = RecordSerdes.serializer(ControlCommand.class, kafka).serialize(topic, headers, command);
        byte[] key = ControlTopic.key(command).getBytes(StandardCharsets.UTF_8);
        try (Producer<byte[], byte[]> producer = PromptSubmitter.idempotentProducer(kafka)) {
            producer.send(new ProducerRecord<>(topic, null, key, value, headers))
                    .get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException cause ? cause : new IllegalStateException(e);
        }
        session.terminal()
                .out()
                .println(action + " " + scope + " " + target + " is in " + topic + ", command_id="
                        + command.getCommandId() + ", issued_at=" + command.getIssuedAt() + ".");
    }
}
