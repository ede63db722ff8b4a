package io.millrace.streams.simulation;

import io.millrace.llm.runtime.SteppedEngine;
import io.millrace.schemas.PromptRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/** A prompt that was sent, and how it may end. */
record Prompt(
        Kind kind,
        int[] tokens,
        int maxTokens,
        long seed,
        long sentNanos,
        long deadlineNanos,
        @Nullable String requestId) {

    static final String RESULT = "RESULT";
    static final String CANCELLED = "CANCELLED";
    static final String DUPLICATE = "DUPLICATE_REQUEST";

    /** What a sender knows its answers by. */
    static final String SENDERS_HEADER = "millrace.correlation_id";

    static final List<String> TENANTS = List.of("a", "b", "c");
    static final String DEAD_LETTER = "DEAD_LETTER";

    private static final List<Kind> KINDS = List.of(Kind.values());
    private static final int TOO_LARGE_BYTES = 5_000;

    /** What is the matter with it, and which endings that allows. */
    enum Kind {
        PLAIN(RESULT),
        /** Nobody waits for its answer any more, soon. */
        DEADLINE(RESULT, "DEADLINE_EXCEEDED"),
        POISONED("ENGINE_ERROR"),
        /** Ends the process that runs it. */
        KILLER("ENGINE_ERROR"),
        EMPTY("INVALID_REQUEST"),
        ABSENT("INVALID_REQUEST"),
        TOO_LARGE("PROMPT_TOO_LARGE"),
        TOO_LONG("CONTEXT_LENGTH_EXCEEDED"),
        UNKNOWN_MODEL("MODEL_NOT_FOUND"),
        UNDECODABLE(DEAD_LETTER),
        BREAKS_DECODER(DEAD_LETTER);

        private final String endings; // names, with spaces between

        Kind(String... endings) {
            this.endings = String.join(" ", endings);
        }

        Set<String> endings() {
            return Set.of(endings.split(" ", 0));
        }
    }

    static Prompt draw(Randomness random, Plan plan, long nowNanos) {
        Kind kind = kind(random, plan);
        int longest = plan.engine().maxModelLen();
        int length = kind == Kind.TOO_LONG ? longest : random.between(1, Math.min(longest - 1, 10));
        int[] tokens = new int[kind == Kind.EMPTY ? 0 : length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = random.below(SteppedEngine.KILLER);
        }
        if (kind == Kind.POISONED) {
            tokens[random.below(tokens.length)] = SteppedEngine.POISON;
        }
        if (kind == Kind.KILLER) {
            tokens[0] = SteppedEngine.KILLER;
        }
        return new Prompt(
                kind,
                tokens,
                random.between(1, 12),
                random.next(),
                nowNanos,
                nowNanos + random.nanos(0, 300),
                plan.requestIds() == 0 || random.oneIn(5) ? null : requestId(random.below(plan.requestIds())));
    }

    private static Kind kind(Randomness random, Plan plan) {
        if (plan.has(Plan.Fault.POISON) && random.oneIn(8)) {
            return Kind.POISONED;
        }
        if (plan.has(Plan.Fault.KILLERS) && random.oneIn(12)) {
            return Kind.KILLER;
        }
        if (!plan.has(Plan.Fault.BAD_PROMPTS) || !random.oneIn(3)) {
            return Kind.PLAIN;
        }
        Kind kind = KINDS.get(random.below(KINDS.size()));
        return kind == Kind.POISONED || kind == Kind.KILLER ? Kind.PLAIN : kind;
    }

    /** The answer's text, whoever gives it. */
    String answer(Plan plan) {
        return SteppedEngine.answer(
                tokens, seed, Math.min(maxTokens, plan.engine().maxModelLen() - tokens.length));
    }

    byte @Nullable [] encode() {
        if (kind == Kind.ABSENT) {
            return null;
        }
        if (kind == Kind.TOO_LARGE) {
            return new byte[TOO_LARGE_BYTES];
        }
        byte[] id = requestId == null ? new byte[0] : requestId.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(1 + 4 + 8 + 8 + 1 + id.length + tokens.length);
        out.put((byte) KINDS.indexOf(kind)).putInt(maxTokens).putLong(seed).putLong(deadlineNanos);
        out.put((byte) id.length).put(id);
        for (int token : tokens) {
            out.put((byte) token);
        }
        return out.array();
    }

    /** What a decoder makes of it. */
    static PromptRequest decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Kind kind = KINDS.get(in.get());
        if (kind == Kind.UNDECODABLE) {
            throw new SerializationException("no prompt");
        }
        if (kind == Kind.BREAKS_DECODER) {
            throw new IllegalStateException("a decoder that breaks");
        }
        int maxTokens = in.getInt();
        long seed = in.getLong();
        long deadlineNanos = in.getLong();
        byte[] id = new byte[in.get()];
        in.get(id);
        List<Integer> tokens = new ArrayList<>();
        while (in.hasRemaining()) {
            tokens.add((int) in.get());
        }
        return PromptRequest.newBuilder()
                .setRequestId(id.length == 0 ? null : new String(id, StandardCharsets.UTF_8))
                .setOperation("generate")
                .setModel(kind == Kind.UNKNOWN_MODEL ? "nobody" : null)
                .setPromptTokenIds(tokens)
                .setMaxTokens(maxTokens)
                .setSeed(seed)
                .setTenant(tenant(tokens.size()))
                .setDeadline(kind == Kind.DEADLINE ? instant(deadlineNanos) : null)
                .build();
    }

    static String requestId(int number) {
        return "r" + number;
    }

    static List<Header> headers(String sendersMark) {
        return List.of(new RecordHeader(SENDERS_HEADER, sendersMark.getBytes(StandardCharsets.UTF_8)));
    }

    private static String tenant(int tokens) {
        return TENANTS.get(tokens % TENANTS.size());
    }

    String tenant() {
        return tenant(tokens.length);
    }

    static Instant instant(long nanos) {
        return SteppedEngine.EPOCH.plusNanos(nanos);
    }

    @Override
    public String toString() {
        return kind + Arrays.toString(tokens);
    }
}
