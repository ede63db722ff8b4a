package io.millrace.schemas.serde;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/** Tells a registry that is away from a record that is wrong. Confluent's serializers throw the same exception for both; the cause differs. */
final class ForeignFailures {

    /** Confluent's {@code RestClientException} ends with this. */
    private static final Pattern ERROR_CODE = Pattern.compile("error code: (\\d+)");

    /** Causes are chains, not rings, as a rule. */
    private static final int MAX_CAUSES = 20;

    private ForeignFailures() {}

    static RuntimeException translated(RuntimeException failure) {
        if (isRegistryAway(failure)) {
            return new RegistryUnavailableException(String.valueOf(failure.getMessage()), failure);
        }
        return failure instanceof SerializationException
                ? failure
                : new SerializationException(String.valueOf(failure.getMessage()), failure);
    }

    private static boolean isRegistryAway(RuntimeException failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
            String name = cause.getClass().getName();
            boolean isNetwork = name.startsWith("java.net.") || name.startsWith("javax.net.ssl.");
            boolean isAnswer = cause.getClass().getSimpleName().equals("RestClientException");
            if (cause instanceof RetriableException || isNetwork || (isAnswer && !isVerdict(cause.getMessage()))) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    private static boolean isVerdict(@Nullable String message) {
        Matcher matcher = ERROR_CODE.matcher(String.valueOf(message));
        return matcher.find() && RegistryTransport.isVerdictCode(matcher.group(1));
    }
}
