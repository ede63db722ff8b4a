package io.millrace.streams.intake;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** The consumer group, as far as it tells which processes live. */
@FunctionalInterface
public interface GroupMembers {

    /**
     * Whether a process is in the group. Never blocks.
     *
     * @return empty while the group is rebalancing, since whoever is on the way back into it is not in it then; it fails
     *     where the brokers do not answer
     */
    CompletionStage<Optional<Boolean>> has(UUID process);

    /**
     * For so long a process is missing from a group at rest before it is taken for dead: more than a new thread takes to
     * join.
     */
    default Duration absence() {
        return Duration.ofSeconds(3);
    }
}
