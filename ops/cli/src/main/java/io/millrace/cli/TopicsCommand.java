package io.millrace.cli;

import io.millrace.streams.app.Topics;
import io.millrace.streams.config.MillraceConfig;
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
            description = "Prepares Kafka's topics.",
            footer = {"", "Example:", "  millrace topics create"})
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
            Topics.Plan plan = Processor.topicPlan(
                    config,
                    atLeastOne("--partitions", partitions, config.topics().partitions()),
                    atLeastOne(
                            "--replication-factor",
                            replicationFactor,
                            config.topics().replicationFactor()));
            Map<String, Object> kafka = KafkaAccess.properties(config);
            KafkaAccess.require(kafka);
            try (Admin admin = Admin.create(kafka)) {
                Set<String> created = new HashSet<>(Topics.create(admin, plan));
                return print(plan, created, describe(admin, plan)).value;
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

        private static Map<String, TopicDescription> describe(Admin admin, Topics.Plan plan)
                throws ExecutionException, InterruptedException {
            return admin.describeTopics(names(plan)).allTopicNames().get();
        }

        private static List<String> names(Topics.Plan plan) {
            return List.of(
                    plan.prompts(),
                    plan.outputs().results(),
                    plan.outputs().failures(),
                    plan.outputs().metrics(),
                    plan.outputs().deadLetters(),
                    plan.engineMetrics(),
                    plan.control());
        }

        private ExitCode print(Topics.Plan plan, Set<String> created, Map<String, TopicDescription> found) {
            ExitCode code = ExitCode.OK;
            Table table = new Table()
                    .column("TOPIC")
                    .column("PARTITIONS", Table.Align.RIGHT)
                    .column("COPIES", Table.Align.RIGHT)
                    .column("STATE");
            for (String name : names(plan)) {
                var topicPartitions = Objects.requireNonNull(found.get(name)).partitions();
                table.row(
                        name,
                        topicPartitions.size(),
                        topicPartitions.getFirst().replicas().size(),
                        created.contains(name) ? "created" : "exists");
                if (topicPartitions.size() != plan.partitions() && !name.equals(plan.control())) {
                    session.terminal()
                            .err()
                            .println("millrace: topic " + name + ": partitions=" + topicPartitions.size()
                                    + ", expected=" + plan.partitions());
                    code = ExitCode.KAFKA;
                }
            }
            table.print(
                    session.terminal().out(), session.terminal().outColumns().orElse(PIPED_COLUMNS));
            return code;
        }
    }
}
