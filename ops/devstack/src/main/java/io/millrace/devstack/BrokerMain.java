package io.millrace.devstack;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * A broker as a process of its own, for tests that kill it: {@code BrokerMain DIRECTORY PORT [property=value]...}
 *
 * <p>It writes {@code bootstrap.servers} into {@code DIRECTORY/ready} when it accepts clients, and runs until SIGTERM.
 */
public final class BrokerMain {
    /** Name of the file in the broker's directory that tells that clients are accepted. */
    public static final String READY_FILE = "ready";

    private BrokerMain() {}

    public static void main(String[] args) throws Exception {
        if (args.length < 2) {
            throw new IllegalArgumentException(
                    "args=" + List.of(args) + ", expected=DIRECTORY PORT [property=value]...");
        }
        EmbeddedKafkaOptions options =
                EmbeddedKafkaOptions.persistent(Path.of(args[0])).withPort(Integer.parseInt(args[1]));
        for (String property : List.of(args).subList(2, args.length)) {
            int equals = property.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("property=" + property + ", expected=name=value");
            }
            options = options.withProperty(property.substring(0, equals), property.substring(equals + 1));
        }
        EmbeddedKafka kafka = EmbeddedKafka.start(options);
        Runtime.getRuntime().addShutdownHook(new Thread(kafka::close, "broker-shutdown"));
        Path ready = kafka.directory().resolve(READY_FILE);
        Path partial = kafka.directory().resolve(READY_FILE + ".partial");
        Files.writeString(partial, kafka.bootstrapServers());
        Files.move(partial, ready, StandardCopyOption.ATOMIC_MOVE);
        Thread.currentThread().join();
    }
}
