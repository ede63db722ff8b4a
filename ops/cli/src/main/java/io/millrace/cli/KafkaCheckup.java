package io.millrace.cli;

import io.millrace.cli.Checkup.Area;
import io.millrace.cli.Checkup.Severity;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.app.Finding;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.StartException;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.MillraceConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Kafka: whether it answers, its transactions, what this user may do, the topics; and the schema registry. */
final class KafkaCheckup {

    private static final String TRANSACTIONS = "transaction.version";

    private final Checkup checkup;
    private final MillraceConfig config;
    private final ProcessorSettings settings;

    KafkaCheckup(Checkup checkup, MillraceConfig config) {
        this.checkup = checkup;
        this.config = config;
        this.settings = ProcessorSettings.of(config);
    }

    void run() throws InterruptedException {
        Map<String, Object> kafka = KafkaAccess.properties(config);
        int patienceMs = (int) KafkaAccess.PATIENCE.toMillis();
        kafka.put("default.api.timeout.ms", patienceMs);
        kafka.put("request.timeout.ms", patienceMs);
        try (Admin admin = Admin.create(kafka)) {
            cluster(admin);
            features(admin);
            transactions(kafka);
            group(admin);
            topics(admin);
        } catch (ExecutionException | KafkaException e) {
            checkup.found(
                    Area.KAFKA,
                    Severity.ERROR,
                    "bootstrap.servers=" + kafka.get("bootstrap.servers") + ", expected=Kafka to answer there: "
                            + reason(e),
                    "start Kafka, or correct kafka.bootstrap.servers, security.protocol and sasl.* in the configuration");
        }
        registry(kafka);
    }

    private static String reason(Exception e) {
        Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
        if (cause instanceof TimeoutException) {
            return "no answer within " + KafkaAccess.PATIENCE.toSeconds() + " s";
        }
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private void cluster(Admin admin) throws ExecutionException, InterruptedException {
        DescribeClusterResult cluster = admin.describeCluster();
        int brokers = cluster.nodes().get().size();
        checkup.ok(
                Area.KAFKA,
                config.kafka().properties().get("bootstrap.servers") + ": cluster "
                        + cluster.clusterId().get() + ", " + brokers + (brokers == 1 ? " broker" : " brokers"));
    }

    private void features(Admin admin) throws ExecutionException, InterruptedException {
        Map<String, FinalizedVersionRange> features =
                admin.describeFeatures().featureMetadata().get().finalizedFeatures();
        Map<String, Short> levels = new TreeMap<>();
        features.forEach((name, range) -> levels.put(name, range.maxVersionLevel()));
        features(levels);
    }

    void features(Map<String, Short> levels) {
        short transactions = levels.getOrDefault(TRANSACTIONS, (short) 0);
        if (transactions < 2) {
            checkup.found(
                    Area.KAFKA,
                    Severity.WARNING,
                    TRANSACTIONS + "=" + transactions
                            + ", expected=2: a broker may take a late message of a transaction into the next one (KIP-890)",
                    "upgrade the brokers to Kafka 4.0 or later, then 'kafka-features.sh upgrade --feature transaction.version=2'");
        } else {
            checkup.ok(Area.KAFKA, "features " + levels);
        }
    }

    /** Really begun, since no request tells whether this user may use a transactional id that is new. */
    private void transactions(Map<String, Object> kafka) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, settings.applicationId() + "-doctor");
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, KafkaAccess.PATIENCE.toMillis());
        properties.remove("default.api.timeout.ms");
        var serializer = new ByteArraySerializer();
        var producer = new KafkaProducer<>(properties, serializer, serializer);
        try {
            producer.initTransactions();
            checkup.ok(Area.KAFKA, "transactions: this user may write them as " + settings.applicationId() + "-*");
        } catch (KafkaException e) {
            checkup.found(
                    Area.KAFKA,
                    Severity.ERROR,
                    "transactional id " + settings.applicationId() + "-doctor: " + reason(e),
                    "allow WRITE and DESCRIBE on transactional ids with the prefix " + settings.applicationId()
                            + "; see that the brokers' transaction.state.log.replication.factor is at most their number");
        } finally {
            producer.close(Duration.ZERO);
        }
    }

    private void group(Admin admin) throws InterruptedException {
        String id = settings.applicationId();
        try {
            ConsumerGroupDescription group = get(
                    admin.describeConsumerGroups(
                                    List.of(id), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true))
                            .describedGroups(),
                    id);
            if (lacks(group.authorizedOperations(), AclOperation.READ)) {
                forbiddenGroup(id, "this user may not READ it");
            } else {
                checkup.ok(
                        Area.KAFKA,
                        "group " + id + ": " + group.members().size() + " stream threads, "
                                + group.groupState().toString().toLowerCase(Locale.ROOT));
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupAuthorizationException) {
                forbiddenGroup(id, reason(e));
            } else {
                // a group that nobody has joined yet is unknown to newer brokers
                checkup.note(Area.KAFKA, "group " + id + ": " + reason(e));
            }
        }
    }

    private void forbiddenGroup(String id, String what) {
        checkup.found(Area.KAFKA, Severity.ERROR, "group " + id + ": " + what, "allow READ on the group " + id);
    }

    private static <T> T get(Map<String, KafkaFuture<T>> futures, String key)
            throws ExecutionException, InterruptedException {
        return Objects.requireNonNull(futures.get(key)).get();
    }

    /** Brokers without an authorizer tell nothing. */
    private static boolean lacks(@Nullable Set<AclOperation> authorized, AclOperation operation) {
        return authorized != null
                && !authorized.isEmpty()
                && !authorized.contains(operation)
                && !authorized.contains(AclOperation.ALL);
    }

    private void topics(Admin admin) throws InterruptedException {
        permissions(admin);
        try {
            settings(Topics.check(admin, settings));
        } catch (StartException e) {
            checkup.found(
                    Area.KAFKA,
                    Severity.ERROR,
                    "topics: " + e.getMessage(),
                    "allow DESCRIBE and DESCRIBE_CONFIGS on all topics of the configuration");
        }
    }

    private void settings(List<Finding> findings) {
        for (Finding finding : findings) {
            checkup.found(
                    Area.KAFKA,
                    switch (finding.severity()) {
                        case NOTE -> Severity.NOTE;
                        case WARNING -> Severity.WARNING;
                        case ERROR -> Severity.ERROR;
                    },
                    finding.subject() + ": " + finding.setting() + "=" + finding.is() + ", expected="
                            + finding.expected(),
                    finding.remedy());
        }
        if (findings.isEmpty()) {
            checkup.ok(Area.KAFKA, "topics: settings of " + settings.promptsTopic() + " and those that belong to it");
        }
    }

    private void permissions(Admin admin) throws InterruptedException {
        Map<String, Set<AclOperation>> needed = new LinkedHashMap<>();
        needed.put(settings.promptsTopic(), EnumSet.of(AclOperation.READ, AclOperation.DESCRIBE));
        needed.put(settings.controlTopic(), EnumSet.of(AclOperation.READ, AclOperation.DESCRIBE));
        for (String topic : Topics.users(settings)) {
            needed.putIfAbsent(topic, EnumSet.of(AclOperation.WRITE, AclOperation.DESCRIBE));
        }
        for (String topic : Topics.own(settings)) {
            needed.put(topic, EnumSet.of(AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE));
        }
        Map<String, KafkaFuture<TopicDescription>> described = admin.describeTopics(
                        needed.keySet(), new DescribeTopicsOptions().includeAuthorizedOperations(true))
                .topicNameValues();
        List<String> allowed = new ArrayList<>();
        for (Map.Entry<String, Set<AclOperation>> topic : needed.entrySet()) {
            try {
                Set<AclOperation> authorized = get(described, topic.getKey()).authorizedOperations();
                Set<AclOperation> lacking = topic.getValue().stream()
                        .filter(operation -> lacks(authorized, operation))
                        .collect(Collectors.toCollection(TreeSet::new));
                if (lacking.isEmpty()) {
                    allowed.add(topic.getKey());
                } else {
                    forbidden(topic.getKey(), "this user lacks " + lacking);
                }
            } catch (ExecutionException e) {
                if (!(e.getCause()
                        instanceof UnknownTopicOrPartitionException)) { // those are told of by the checks of settings
                    forbidden(topic.getKey(), reason(e));
                }
            }
        }
        if (!allowed.isEmpty()) {
            checkup.ok(
                    Area.KAFKA, "topics: this user may do what it must on " + allowed.size() + " of " + needed.size());
        }
    }

    private void forbidden(String topic, String what) {
        checkup.found(
                Area.KAFKA,
                Severity.ERROR,
                "topic " + topic + ": " + what,
                "allow it for the user that runs 'process'; prompts and control are read, the others written");
    }

    private void registry(Map<String, Object> kafka) {
        Object url = kafka.get("schema.registry.url");
        if (url == null) {
            checkup.note(Area.REGISTRY, "none configured: records are JSON");
            return;
        }
        String subject = settings.promptsTopic() + "-value";
        try {
            boolean known = RecordSerdes.askRegistry(kafka, subject);
            checkup.ok(
                    Area.REGISTRY,
                    url + ": answers; subject " + subject
                            + (known ? "" : " is not there yet: the first prompt registers it"));
        } catch (RegistryUnavailableException | ConfigException e) {
            checkup.found(
                    Area.REGISTRY,
                    Severity.ERROR,
                    String.valueOf(e.getMessage()),
                    "start the registry, or correct schema.registry.url and its credentials; until it answers, prompts wait");
        }
    }
}
