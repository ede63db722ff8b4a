package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Output;
import io.millrace.remote.protocol.Answer.TokenCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The body of embeddings. */
final class OpenAiEmbeddingReader implements AnswerReader {

    private List<Float> vector = List.of();
    private TokenCounts tokens = TokenCounts.UNKNOWN;
    private Optional<String> model = Optional.empty();

    @Override
    public void accept(JsonNode body) throws FaultException {
        vector = vector(body.path("data").path(0).path("embedding"));
        tokens = new TokenCounts(Json.count(body.path("usage"), "prompt_tokens"), 0, OptionalInt.of(0));
        model = Json.text(body, "model");
    }

    /** Numbers of an array, {@code [dimension]}. */
    static List<Float> vector(JsonNode array) throws FaultException {
        if (!array.isArray() || array.isEmpty()) {
            throw FaultException.broken(
                    "embedding=" + Json.shorten(array.toString()) + ", expected=an array of numbers");
        }
        List<Float> vector = new ArrayList<>(array.size());
        for (JsonNode number : array) {
            if (!number.isNumber()) {
                throw FaultException.broken("embedding: " + Json.shorten(number.toString()) + ", expected=a number");
            }
            vector.add(number.floatValue());
        }
        return vector;
    }

    @Override
    public int parts() {
        return vector.isEmpty() ? 0 : 1;
    }

    @Override
    public String text() {
        return "";
    }

    @Override
    public Answer answer() throws FaultException {
        if (vector.isEmpty()) {
            throw FaultException.broken("body=empty, expected=an embedding");
        }
        return new Answer(new Output.Embedding(vector), FinishReason.STOP, tokens, model);
    }
}
