package io.millrace.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.joran.spi.JoranException;
import java.net.URL;
import java.util.Objects;
import org.slf4j.LoggerFactory;

/** Logs on stderr: what a service says while it runs, and only warnings from commands that end by themselves. */
final class Logging {

    /** What is being run. */
    enum Mode {
        COMMAND,
        SERVICE
    }

    private Logging() {}

    static void configure(Mode mode, GlobalOptions options) {
        String name = options.logFormat == GlobalOptions.LogFormat.json ? "/logback-json.xml" : "/logback.xml";
        URL file = Objects.requireNonNull(Logging.class.getResource(name), name);
        var context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        var configurator = new JoranConfigurator();
        configurator.setContext(context);
        try {
            configurator.doConfigure(file);
        } catch (JoranException e) {
            throw new IllegalStateException(name, e);
        }
        Level ours = options.verbose ? Level.DEBUG : mode == Mode.SERVICE ? Level.INFO : Level.WARN;
        context.getLogger("io.millrace").setLevel(ours);
        // Each Kafka client logs its whole configuration at INFO; a broker in this process logs every partition.
        Level kafkas = options.verbose ? Level.INFO : mode == Mode.SERVICE ? Level.WARN : Level.ERROR;
        for (String logger : new String[] {"org.apache.kafka", "kafka", "state.change.logger"}) {
            context.getLogger(logger).setLevel(kafkas);
        }
        if (!options.verbose) {
            // A batch that comes before the last transaction's markers are written is refused and sent again: no news.
            context.getLogger("org.apache.kafka.clients.producer.internals.Sender")
                    .setLevel(Level.ERROR);
            context.getLogger("kafka.server.ReplicaManager").setLevel(Level.OFF);
        }
    }
}
