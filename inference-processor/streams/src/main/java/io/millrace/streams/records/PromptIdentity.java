package io.millrace.streams.records;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What outputs repeat of a prompt.
 *
 * @param requestId the caller's, or {@link Origin#id}
 * @param model the model asked for, the default one where a prompt names none; null where none could be read
 * @param operation by its wire name
 */
public record PromptIdentity(
        String requestId,
        @Nullable String model,
        String operation,
        @Nullable String tenant,
        @Nullable String jobId,
        Map<String, String> metadata) {

    public PromptIdentity {
        metadata = Map.copyOf(metadata);
    }

    /** The same prompt, once it is known which model it means. */
    public PromptIdentity forModel(String name) {
        return new PromptIdentity(requestId, name, operation, tenant, jobId, metadata);
    }

    /** Of a prompt of which nothing could be read. */
    public static PromptIdentity unknown(Origin origin) {
        return new PromptIdentity(origin.id(), null, "", null, null, Map.of());
    }
}
