package io.millrace.streams.app;

import io.millrace.streams.intake.GroupMembers;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.GroupState;

/**
 * Asks the group's coordinator. A stream thread's consumer bears its process in its client id ({@link StreamsProperties}).
 *
 * <p>Threads: any asks; the Admin client's thread answers.
 */
final class KafkaGroupMembers implements GroupMembers, AutoCloseable {

    private final Admin admin;
    private final String group;

    /** @param admin closed by this */
    KafkaGroupMembers(Admin admin, String group) {
        this.admin = admin;
        this.group = group;
    }

    @Override
    public CompletionStage<Optional<Boolean>> has(UUID process) {
        return Objects.requireNonNull(admin.describeConsumerGroups(List.of(group))
                        .describedGroups()
                        .get(group))
                .toCompletionStage()
                .thenApply(description -> has(description, process));
    }

    private static Optional<Boolean> has(ConsumerGroupDescription group, UUID process) {
        if (group.groupState() != GroupState.STABLE) {
            return Optional.empty();
        }
        String name = process.toString();
        return Optional.of(
                group.members().stream().anyMatch(member -> member.clientId().contains(name)));
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
