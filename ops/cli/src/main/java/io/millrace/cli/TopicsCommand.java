package io.millrace.cli;

import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.MillraceConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace topics}: the topics in Kafka. */
final class TopicsCommand {

    private static final int PIPED_COLUMNS = 120;

    private TopicsCommand() {}

    /** Groups the others. */
    @Command(
            name = "topics",
            synopsisSubcommandLabel = "COMMAND",
            description = "Creates, checks and grows Kafka's topics.",
            footer = {"", "Examples:", "  millrace topics create", "  millrace topics check"})
    static final class Group {}

    /** {@code topics create}. */
    @Command(
            name = "create",
            description = {
                "Creates the configuration's topics that do not exist yet, and checks those that do.",
                "",
                "May be run again at any time. Topics get many partitions because growing later needs a stop: at least four for each"
                        + " instance you will ever run. A topic that exists with another number of partitions is left as it is"
                        + " and makes the exit code 6."
            },
            footer = {
                "",
                "Examples:",
                "  millrace topics create",
                "  millrace topics create --partitions 64 --replication-factor 3 --bootstrap-server kafka:9092"
            })
    static final class Create implements Callable<Integer> {

        private final Session session;

        @Option(
                names = "--partitions",
                paramLabel = "N",
                description = "Partitions of each topic (default: the configuration's topics.partitions).")
        @Nullable
        Integer partitions;

        @Option(
                names = "--replication-factor",
                paramLabel = "N",
                description = "Copies of each partition (default: the configuration's topics.replication_factor).")
        @Nullable
        Integer replicationFactor;

        Create(Session session) {
            this.session = session;
        }

        @Override
        public Integer call() throws InterruptedException {
            MillraceConfig config = session.config();
            var shape = new Topics.Shape(
                    atLeastOne("--partitions", partitions, config.topics().partitions()), (short) atLeastOne(
                            "--replication-factor",
                            replicationFactor,
                            config.topics().replicationFactor()));
            Map<String, Object> kafka = KafkaAccess.properties(config);
            KafkaAccess.require(kafka);
            ProcessorSettings settings = ProcessorSettings.of(config);
            try (Admin admin = Admin.create(kafka)) {
                Set<String> created = new HashSet<>(Topics.create(admin, settings, shape));
                return print(settings, shape, created, admin).value;
            } catch (ExecutionException e) {
                throw new CliException(ExitCode.KAFKA, String.valueOf(e.getMessage()), e);
            }
        }

        private static int atLeastOne(String option, @Nullable Integer value, int otherwise) {
            if (value != null && value < 1) {
                throw new CliException(ExitCode.USAGE, option + "=" + value + ", expected=1 or more");
            }
            return value == null ? otherwise : value;
        }

        private ExitCode print(ProcessorSettings settings, Topics.Shape shape, Set<String> created, Admin admin)
                throws ExecutionException, InterruptedException {
            List<String> users = Topics.users(settings);
            List<String> names = new ArrayList<>(users);
            names.addAll(Topics.own(settings));
            Map<String, TopicDescription> found =
                    admin.describeTopics(names).allTopicNames().get();
            ExitCode code = ExitCode.OK;
            Table table = new Table()
                    .column("TOPIC")
                    .column("PARTITIONS", Table.Align.RIGHT)
                    .column("COPIES", Table.Align.RIGHT)
                    .column("STATE");
            for (String name : names) {
                var topicPartitions = Objects.requireNonNull(found.get(name)).partitions();
                table.row(
                        name,
                        topicPartitions.size(),
                        topicPartitions.getFirst().replicas().size(),
                        created.contains(name) ? "created" : "exists");
                if (topicPartitions.size() != shape.partitions()
                        && users.contains(name)
                        && !name.equals(settings.controlTopic())) {
                    session.terminal()
                            .err()
                            .println("millrace: topic " + name + ": partitions=" + topicPartitions.size()
                                    + ", expected=" + shape.partitions());
                    code = ExitCode.KAFKA;
                }
            }
            table.print(
                    session.terminal().out(), session.terminal().outColumns().orElse(PIPED_COLUMNS));
            return code;
        }
    }
}
