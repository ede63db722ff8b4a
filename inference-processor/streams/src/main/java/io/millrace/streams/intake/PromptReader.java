package io.millrace.streams.intake;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.schemas.Message;
import io.millrace.schemas.Part;
import io.millrace.schemas.PromptRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads operation and input of a prompt. Each method throws {@link InvalidRequestException} naming the field, its value
 * and what was expected.
 */
final class PromptReader {

    private static final Set<String> ROLES = Set.of("system", "user", "assistant");
    private static final String ONE_INPUT = "exactly one of prompt, messages, prompt_token_ids";

    /** As deep as prompts that are JSON themselves may be; the length is bounded by the record's. */
    private static final int MAX_EXTRA_BODY_DEPTH = 32;

    private static final ObjectReader JSON = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_EXTRA_BODY_DEPTH)
                            .build())
                    .build())
            .readerFor(JsonNode.class)
            .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .with(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private PromptReader() {}

    static Operation operation(PromptRequest prompt) {
        return Operation.ofWireName(prompt.getOperation())
                .orElseThrow(() -> new InvalidRequestException(
                        "operation",
                        prompt.getOperation(),
                        "one of "
                                + Arrays.stream(Operation.values())
                                        .map(Operation::wireName)
                                        .collect(Collectors.joining(", "))));
    }

    static Input input(PromptRequest prompt, Operation operation) {
        requireOneInput(prompt);
        requireNoDocuments(prompt, operation);
        List<Integer> tokenIds = prompt.getPromptTokenIds();
        if (tokenIds != null) {
            return tokenIds(tokenIds);
        }
        List<Message> messages = prompt.getMessages();
        if (messages != null) {
            return conversation(messages, operation);
        }
        String text = prompt.getPrompt();
        if (text.isEmpty()) {
            throw new InvalidRequestException("prompt", "\"\"", "a text");
        }
        return operation == Operation.CHAT
                ? new Input.Conversation(List.of(new Input.Message("user", text)))
                : new Input.Text(text);
    }

    /** What a server's body gets besides, as JSON text. */
    static Optional<String> extraBody(PromptRequest prompt) {
        String text = prompt.getExtraBody();
        if (text == null) {
            return Optional.empty();
        }
        try {
            JsonNode body = JSON.readTree(text);
            if (body.isObject()) {
                return Optional.of(text);
            }
        } catch (JacksonException e) {
            // said below
        }
        throw new InvalidRequestException("extra_body", text, "a JSON object");
    }

    private static void requireOneInput(PromptRequest prompt) {
        List<String> present = new ArrayList<>();
        addIfPresent(present, "prompt", prompt.getPrompt());
        addIfPresent(present, "messages", prompt.getMessages());
        addIfPresent(present, "prompt_token_ids", prompt.getPromptTokenIds());
        if (present.isEmpty()) {
            throw new InvalidRequestException("prompt", "absent", ONE_INPUT);
        }
        if (present.size() > 1) {
            throw new InvalidRequestException("input", String.join(" and ", present), ONE_INPUT);
        }
    }

    private static void addIfPresent(List<String> present, String name, @Nullable Object value) {
        if (value != null) {
            present.add(name);
        }
    }

    private static void requireNoDocuments(PromptRequest prompt, Operation operation) {
        boolean scores = operation == Operation.RERANK || operation == Operation.CLASSIFY;
        if (prompt.getDocuments() != null && !scores) {
            throw new InvalidRequestException(
                    "documents", prompt.getDocuments(), "none for operation " + operation.wireName());
        }
    }

    private static Input tokenIds(List<Integer> tokenIds) {
        if (tokenIds.isEmpty()) {
            throw new InvalidRequestException("prompt_token_ids", "[]", "at least one token id");
        }
        return new Input.TokenIds(tokenIds);
    }

    private static Input conversation(List<Message> messages, Operation operation) {
        if (operation != Operation.CHAT) {
            throw new InvalidRequestException(
                    "messages",
                    messages.size() + " messages",
                    "prompt or prompt_token_ids for operation " + operation.wireName());
        }
        if (messages.isEmpty()) {
            throw new InvalidRequestException("messages", "[]", "at least one message");
        }
        List<Input.Message> turns = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            turns.add(message("messages[" + i + "]", messages.get(i)));
        }
        return new Input.Conversation(turns);
    }

    private static Input.Message message(String path, Message message) {
        if (!ROLES.contains(message.getRole())) {
            throw new InvalidRequestException(path + ".role", message.getRole(), "one of system, user, assistant");
        }
        String content = message.getContent();
        List<Part> parts = message.getParts();
        if ((content == null) == (parts == null)) {
            throw new InvalidRequestException(
                    path, content == null ? "neither" : "both", "exactly one of content, parts");
        }
        return new Input.Message(message.getRole(), content != null ? content : text(path, parts));
    }

    private static String text(String path, List<Part> parts) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            String partPath = path + ".parts[" + i + "]";
            if (!part.getMediaType().equals("text/plain")) {
                throw new InvalidRequestException(partPath + ".media_type", part.getMediaType(), "text/plain");
            }
            if (part.getText() == null) {
                throw new InvalidRequestException(partPath + ".text", "absent", "the part's text");
            }
            text.append(part.getText());
        }
        return text.toString();
    }
}
