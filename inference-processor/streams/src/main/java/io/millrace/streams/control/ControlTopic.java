package io.millrace.streams.control;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.TopicConfig;

/** Keys and settings of the control topic, for those who write to it and those who create it. */
public final class ControlTopic {

    /**
     * How long a command lasts in the topic. A cancel that is forgotten is no loss: its prompts ended when the first
     * instance read it. A pause that is older is forgotten by instances that start later, so give it again before.
     */
    public static final Duration RETENTION = Duration.ofDays(30);

    private ControlTopic() {}

    /** What a command's record has as key. */
    enum Kind {
        CANCEL,
        PAUSE
    }

    /**
     * Whom a command is about.
     *
     * @param name a request_id, job_id or tenant
     */
    record Target(ControlScope scope, String name) {

        @Override
        public String toString() {
            return word(scope) + "=" + name;
        }
    }

    /** A key, read. */
    record Key(Target target, Kind kind) {}

    /**
     * The key of a command's record: {@code <scope>:<target>:<cancel|pause>}, in lower case but for the target. A RESUME
     * has the key of the PAUSE that it ends, so that compaction keeps a target's last cancel and its last pause or resume.
     *
     * @throws IllegalArgumentException the action is UNKNOWN
     */
    public static String key(ControlCommand command) {
        if (command.getAction() == ControlAction.UNKNOWN) {
            throw new IllegalArgumentException("action=UNKNOWN, expected=one of CANCEL, PAUSE, RESUME");
        }
        Kind kind = command.getAction() == ControlAction.CANCEL ? Kind.CANCEL : Kind.PAUSE;
        return word(command.getScope()) + ":" + command.getTarget() + ":" + word(kind);
    }

    /** Reads what {@link #key} wrote; a target may contain colons. */
    static Optional<Key> parse(String key) {
        int first = key.indexOf(':');
        int last = key.lastIndexOf(':');
        if (first == last) {
            return Optional.empty();
        }
        for (ControlScope scope : ControlScope.values()) {
            for (Kind kind : Kind.values()) {
                if (key.startsWith(word(scope) + ":") && key.endsWith(":" + word(kind))) {
                    return Optional.of(new Key(new Target(scope, key.substring(first + 1, last)), kind));
                }
            }
        }
        return Optional.empty();
    }

    /** Settings that the topic is created with. */
    public static Map<String, String> config() {
        return Map.of(
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_COMPACT + "," + TopicConfig.CLEANUP_POLICY_DELETE,
                TopicConfig.RETENTION_MS_CONFIG,
                Long.toString(RETENTION.toMillis()));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
