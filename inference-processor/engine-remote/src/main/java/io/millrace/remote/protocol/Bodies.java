package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.SamplingParameters;
import java.util.List;
import java.util.Set;

/** What request bodies of all protocols have in common. */
final class Bodies {

    private Bodies() {}

    /**
     * Sampling parameters by their OpenAI and vLLM names. What OpenAI does not know is sent only where it is asked for; a seed
     * likewise, since it slows servers down and no answer is shown twice here.
     */
    static void putSampling(ObjectNode body, SamplingParameters sampling) {
        sampling.maxTokens().ifPresent(most -> body.put("max_tokens", most));
        body.put("temperature", sampling.temperature());
        body.put("top_p", sampling.topP());
        sampling.seed().ifPresent(seed -> body.put("seed", seed));
        if (sampling.topK() != SamplingParameters.DEFAULT.topK()) {
            body.put("top_k", sampling.topK());
        }
        if (sampling.minP() != SamplingParameters.DEFAULT.minP()) {
            body.put("min_p", sampling.minP());
        }
        if (sampling.repetitionPenalty() != SamplingParameters.DEFAULT.repetitionPenalty()) {
            body.put("repetition_penalty", sampling.repetitionPenalty());
        }
        if (sampling.minTokens() != SamplingParameters.DEFAULT.minTokens()) {
            body.put("min_tokens", sampling.minTokens());
        }
        if (sampling.ignoreEos()) {
            body.put("ignore_eos", true);
        }
    }

    /** Puts {@code members} into a body (RFC 7396): a null takes a member out, an object goes into an object. */
    static void merge(ObjectNode body, ObjectNode members) {
        members.properties().forEach(member -> {
            JsonNode value = member.getValue();
            if (value.isNull()) {
                body.remove(member.getKey());
            } else if (value instanceof ObjectNode inner && body.get(member.getKey()) instanceof ObjectNode into) {
                merge(into, inner);
            } else {
                body.set(member.getKey(), value.deepCopy());
            }
        });
    }

    /** The request's own members over the model's. */
    static void mergeExtra(ObjectNode body, ObjectNode ofModel, InferenceRequest request, Set<String> ours) {
        merge(body, ofModel);
        request.extraBody().ifPresent(text -> {
            ObjectNode ofRequest = Json.objectOf("extra_body", text);
            ofRequest.fieldNames().forEachRemaining(name -> {
                if (ours.contains(name)) {
                    throw new InvalidRequestException("extra_body." + name, "present", "absent: the engine sets it");
                }
            });
            merge(body, ofRequest);
        });
    }

    /**
     * The text without the first stop string and what follows. Servers stop there; some leave the string in, and some know
     * none. What min_tokens lets pass stays.
     */
    static String cutAtStop(String text, SamplingParameters sampling) {
        return sampling.minTokens() > 0 ? text : cut(text, sampling.stop());
    }

    /** Whether text that grew from {@code length} on has come to a stop string by that, where {@link #cutAtStop} would cut. */
    static boolean stopsSince(StringBuilder text, int length, SamplingParameters sampling) {
        return sampling.minTokens() == 0
                && sampling.stop().stream()
                        .anyMatch(string -> text.indexOf(string, Math.max(0, length - string.length() + 1)) >= 0);
    }

    private static String cut(String text, List<String> stop) {
        int end = text.length();
        for (String string : stop) {
            int at = text.indexOf(string);
            if (at >= 0 && at < end) {
                end = at;
            }
        }
        return text.substring(0, end);
    }

    static String prefix(String text) {
        return text.substring(0, Math.min(text.length(), Protocol.PREFIX_CHARS));
    }
}
