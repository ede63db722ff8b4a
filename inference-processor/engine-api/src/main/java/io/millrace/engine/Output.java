package io.millrace.engine;

import java.util.List;

/** What an engine answered. */
public sealed interface Output {

    /**
     * Generated text.
     *
     * @param text without the stop string
     * @param promptTokenIds the prompt as the model read it
     * @param tokenIds the tokens drawn, end-of-sequence included
     * @param logprobs an entry per drawn token when asked for, else empty
     */
    record Text(String text, List<Integer> promptTokenIds, List<Integer> tokenIds, List<PositionLogprobs> logprobs)
            implements Output {
        public Text {
            promptTokenIds = List.copyOf(promptTokenIds);
            tokenIds = List.copyOf(tokenIds);
            logprobs = List.copyOf(logprobs);
        }
    }

    /** An embedding vector, {@code [dimension]}. */
    record Embedding(List<Float> vector) implements Output {
        public Embedding {
            vector = List.copyOf(vector);
        }
    }

    /** Scores of documents or labels, best first. */
    record Scores(List<Score> scores) implements Output {
        public Scores {
            scores = List.copyOf(scores);
        }
    }

    /** One document or label: its place in the request, its text, its score. */
    record Score(int index, String label, double score) {}

    /**
     * Natural log probabilities at one position, of the unmodified logits.
     *
     * @param tokenId the token drawn
     * @param top the most probable tokens, best first
     */
    record PositionLogprobs(int tokenId, float logprob, List<TokenLogprob> top) {
        public PositionLogprobs {
            top = List.copyOf(top);
        }
    }

    /** One alternative. */
    record TokenLogprob(int tokenId, float logprob) {}
}
