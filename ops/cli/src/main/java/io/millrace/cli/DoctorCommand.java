package io.millrace.cli;

import io.millrace.streams.config.MillraceConfig;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace doctor}: looks at all that a processor needs. */
@Command(
        name = "doctor",
        description = {
            "Looks at all that 'process' needs, and says what works, what does not, and the remedy.",
            "",
            "The JDK, cores, memory and GPU of this machine; Kafka, its transactions, what this user may do there, and the topics; the schema"
                    + " registry; each model's file, or the servers that have it and what their slack gates go by. Nothing is created, changed or downloaded, but that a"
                    + " transactional id APPLICATION_ID-doctor is tried.",
            "",
            "The exit code is that of the worst finding: 0 (nothing but notes), 7 (warnings), else that of the first error: 3"
                    + " (configuration), 2 (this machine), 6 (Kafka, registry), 5 (models)."
        },
        footer = {"", "Examples:", "  millrace doctor", "  millrace doctor --config /etc/millrace/millrace.yaml --json"
        })
final class DoctorCommand implements Callable<Integer> {

    private final Session session;

    @Option(names = "--json", description = "Print one JSON object.")
    boolean json;

    DoctorCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        MillraceConfig config = session.config();
        var checkup = new Checkup();
        new MachineCheckup(checkup).run();
        new KafkaCheckup(checkup, config).run();
        new ModelCheckup(checkup, session.store()).run(config.models().values());
        if (json) {
            checkup.printJson(session.terminal().out());
        } else {
            checkup.print(session.terminal().out());
        }
        return checkup.exitCode().value;
    }
}
