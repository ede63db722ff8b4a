package io.millrace.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Timings;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Output;
import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.Output.TokenLogprob;
import java.util.List;
import java.util.Locale;

/** An answer of {@code generate} as a line of JSON. */
final class Answer {

    private static final double NANOS_PER_MILLISECOND = 1e6;

    private Answer() {}

    static ObjectNode json(long line, Completion completion) {
        return switch (completion) {
            case Completed completed -> json(completed);
            case Completion.Failed failed -> error(line, failed.code(), failed.message());
        };
    }

    /** The line printed in place of an answer. */
    static ObjectNode error(long line, FailureCode code, String message) {
        ObjectNode json = Json.object().put("line", line);
        json.putObject("error").put("code", code.name()).put("message", message);
        return json;
    }

    /** The text of a completed generation. */
    static Output.Text text(Completed completed) {
        if (completed.output() instanceof Output.Text text) {
            return text;
        }
        throw new IllegalStateException("output=" + completed.output() + ", expected=text");
    }

    private static ObjectNode json(Completed completed) {
        Output.Text output = text(completed);
        ObjectNode json = Json.object();
        json.set("prompt_token_ids", Json.tree(output.promptTokenIds()));
        json.set("token_ids", Json.tree(output.tokenIds()));
        json.put("text", output.text());
        json.put("finish_reason", completed.finishReason().name().toLowerCase(Locale.ROOT));
        json.set("usage", usage(completed.usage()));
        json.set("timings", timings(completed.timings()));
        if (!output.logprobs().isEmpty()) {
            json.set("logprobs", logprobs(output.logprobs()));
        }
        return json;
    }

    private static ObjectNode usage(Usage usage) {
        return Json.object()
                .put("prompt_tokens", usage.promptTokens())
                .put("cached_prompt_tokens", usage.cachedPromptTokens())
                .put("completion_tokens", usage.completionTokens());
    }

    private static ObjectNode timings(Timings timings) {
        return Json.object()
                .put("queue_ms", timings.queueNanos() / NANOS_PER_MILLISECOND)
                .put("prefill_ms", timings.prefillNanos() / NANOS_PER_MILLISECOND)
                .put("decode_ms", timings.decodeNanos() / NANOS_PER_MILLISECOND)
                .put("time_to_first_token_ms", timings.timeToFirstTokenNanos() / NANOS_PER_MILLISECOND)
                .put("total_ms", timings.totalNanos() / NANOS_PER_MILLISECOND);
    }

    /** Per position the most probable tokens as {@code [id, logprob]}, best first. */
    private static ArrayNode logprobs(List<PositionLogprobs> positions) {
        ArrayNode json = Json.array();
        for (PositionLogprobs position : positions) {
            ArrayNode top = json.addArray();
            for (TokenLogprob token : position.top()) {
                top.addArray().add(token.tokenId()).add(token.logprob());
            }
        }
        return json;
    }
}
