package io.millrace.echo;

import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Operation;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A request's own words, each with the space before it, as the tokens of its answer.
 *
 * @param promptTokens words of the prompt
 * @param tokens words of the answer; none where a stop string comes first
 * @param finishReason why there are no more
 */
record Echo(int promptTokens, List<String> tokens, FinishReason finishReason) implements Reply {

    private static final Pattern WORD = Pattern.compile("\\s*\\S+");

    Echo {
        tokens = List.copyOf(tokens);
    }

    /**
     * The answer to a request, or its failure. {@code min_tokens} and {@code ignore_eos} have the words repeated.
     */
    static Reply to(InferenceRequest request, EchoOptions options) {
        try {
            checkSupported(request);
            int promptTokens = promptTokens(request.input());
            if (promptTokens >= options.maxModelLen()) {
                String message = "prompt_tokens=" + promptTokens + ", expected=fewer than max_model_len="
                        + options.maxModelLen();
                return new Refused(Failed.of(request.id(), FailureCode.CONTEXT_LENGTH_EXCEEDED, message));
            }
            return echo(request, promptTokens, options);
        } catch (InvalidRequestException e) {
            return new Refused(Failed.of(request.id(), FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
        }
    }

    private static Echo echo(InferenceRequest request, int promptTokens, EchoOptions options) {
        List<String> words = words(answered(request.input()));
        if (words.isEmpty()) {
            throw new InvalidRequestException("prompt_tokens", 0, "at least 1: the prompt is empty");
        }
        SamplingParameters sampling = request.sampling();
        int most = Math.min(
                options.maxModelLen() - promptTokens, sampling.maxTokens().orElse(options.defaultMaxTokens()));
        int wanted = sampling.ignoreEos() ? most : Math.max(words.size(), sampling.minTokens());
        List<String> tokens = repeat(words, Math.min(wanted, most));
        List<String> stopped = words(beforeStop(String.join("", tokens), sampling.stop()));
        boolean isCut = stopped.equals(tokens) && (wanted > most || sampling.ignoreEos());
        return new Echo(promptTokens, stopped, isCut ? FinishReason.LENGTH : FinishReason.STOP);
    }

    private static void checkSupported(InferenceRequest request) {
        Operation operation = request.operation();
        if (operation != Operation.CHAT && operation != Operation.GENERATE) {
            throw new InvalidRequestException("operation", operation.wireName(), "chat or generate, for an echo");
        }
        ResponseFormat format = request.sampling().responseFormat();
        if (!format.equals(ResponseFormat.TEXT)) {
            throw new InvalidRequestException("response_format", format.wireName(), ResponseFormat.TEXT.wireName());
        }
        request.sampling().logprobs().ifPresent(logprobs -> {
            throw new InvalidRequestException("logprobs", logprobs, "none: an echo has no probabilities");
        });
        request.extraBody().ifPresent(body -> {
            throw new InvalidRequestException("extra_body", body, "none: this model is not on a remote server");
        });
    }

    /** The text that comes back: of a conversation the last turn. */
    private static String answered(Input input) {
        return switch (input) {
            case Input.Text text -> text.text();
            case Input.Conversation conversation ->
                conversation.messages().getLast().content();
            case Input.TokenIds ids ->
                String.join(" ", ids.ids().stream().map(String::valueOf).toList());
        };
    }

    private static int promptTokens(Input input) {
        return input instanceof Input.Conversation conversation
                ? conversation.messages().stream()
                        .mapToInt(message -> words(message.content()).size())
                        .sum()
                : words(answered(input)).size();
    }

    private static List<String> words(String text) {
        return WORD.matcher(text).results().map(MatchResult::group).toList();
    }

    private static List<String> repeat(List<String> words, int count) {
        return IntStream.range(0, count)
                .mapToObj(i ->
                        i > 0 && i % words.size() == 0 ? " " + words.getFirst().strip() : words.get(i % words.size()))
                .toList();
    }

    private static String beforeStop(String text, List<String> stops) {
        int end = text.length();
        for (String stop : stops) {
            int at = text.indexOf(stop);
            end = at >= 0 ? Math.min(end, at) : end;
        }
        return text.substring(0, end);
    }
}
