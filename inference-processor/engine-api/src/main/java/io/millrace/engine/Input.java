package io.millrace.engine;

import java.util.List;

/** What a request works on. */
public sealed interface Input {

    /** Plain text. */
    record Text(String text) implements Input {}

    /** A conversation, oldest turn first. */
    record Conversation(List<Message> messages) implements Input {
        public Conversation {
            messages = List.copyOf(messages);
        }
    }

    /** Token ids of the model's vocabulary, fed unchanged. */
    record TokenIds(List<Integer> ids) implements Input {
        public TokenIds {
            ids = List.copyOf(ids);
        }
    }

    /** One turn: role (system, user, assistant) and text. */
    record Message(String role, String content) {}
}
