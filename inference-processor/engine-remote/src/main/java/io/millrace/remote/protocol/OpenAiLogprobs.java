package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.Output.TokenLogprob;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Log probabilities with token ids. OpenAI's format has texts alone; llama-server adds an {@code id}, and vLLM writes {@code
 * token_id:N} for the text where {@code return_tokens_as_token_ids} is set.
 */
final class OpenAiLogprobs {

    private static final Pattern TOKEN_ID = Pattern.compile("token_id:(\\d{1,9})");

    private OpenAiLogprobs() {}

    /** Positions of a chunk, in the format of chat or of completions. */
    static List<PositionLogprobs> read(JsonNode logprobs, int top) throws FaultException {
        List<PositionLogprobs> positions = new ArrayList<>();
        if (logprobs.path("content").isArray()) {
            for (JsonNode token : logprobs.path("content")) {
                positions.add(ofChat(token, top));
            }
        } else {
            for (int i = 0; i < logprobs.path("tokens").size(); i++) {
                positions.add(ofCompletions(logprobs, i, top));
            }
        }
        return positions;
    }

    private static PositionLogprobs ofChat(JsonNode token, int top) throws FaultException {
        List<TokenLogprob> alternatives = new ArrayList<>();
        for (JsonNode other : token.path("top_logprobs")) {
            alternatives.add(new TokenLogprob(idOf(other, top), logprob(other.path("logprob"))));
        }
        return new PositionLogprobs(idOf(token, top), logprob(token.path("logprob")), best(alternatives, top));
    }

    private static PositionLogprobs ofCompletions(JsonNode logprobs, int at, int top) throws FaultException {
        List<TokenLogprob> alternatives = new ArrayList<>();
        for (Map.Entry<String, JsonNode> other :
                logprobs.path("top_logprobs").path(at).properties()) {
            alternatives.add(new TokenLogprob(idIn(other.getKey(), top), logprob(other.getValue())));
        }
        int id = idIn(logprobs.path("tokens").path(at).asText(), top);
        return new PositionLogprobs(id, logprob(logprobs.path("token_logprobs").path(at)), best(alternatives, top));
    }

    private static List<TokenLogprob> best(List<TokenLogprob> alternatives, int top) {
        return alternatives.stream()
                .sorted(Comparator.comparingDouble(TokenLogprob::logprob).reversed())
                .limit(top)
                .toList();
    }

    private static float logprob(JsonNode value) throws FaultException {
        if (!value.isNumber()) {
            throw FaultException.broken("logprob=" + Json.shorten(value.toString()) + ", expected=a number");
        }
        return value.floatValue();
    }

    private static int idOf(JsonNode token, int top) throws FaultException {
        OptionalInt id = Json.count(token, "id");
        return id.isPresent() ? id.getAsInt() : idIn(token.path("token").asText(), top);
    }

    private static int idIn(String token, int top) throws FaultException {
        Matcher matcher = TOKEN_ID.matcher(token);
        if (!matcher.matches()) {
            throw notTold(top);
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** Nothing but another configuration of the server helps: this request will never be answered. */
    static FaultException notTold(int top) {
        return new FaultException(
                Fault.Refused.invalid("logprobs=" + top + ", expected=absent, or a server that tells token ids:"
                        + " vLLM does with extra_body {\"return_tokens_as_token_ids\": true}"));
    }
}
