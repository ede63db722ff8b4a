package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.ingest.LineReader;
import io.millrace.ingest.PromptReader;
import io.millrace.ingest.PromptReader.Defaults;
import io.millrace.ingest.PromptReader.Entry;
import io.millrace.ingest.PromptReader.Format;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import io.millrace.modelstore.DefaultModel;
import io.millrace.modelstore.ModelStore;
import io.millrace.modelstore.ProgressListener;
import io.millrace.schemas.PromptRequest;
import io.millrace.streams.intake.RequestFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The samples are what the issue of them says: real work, several tenants, lengths, and few enough tokens for a quick demo. */
class SamplesTest {

    @Test
    void shouldStayWithinTheTokensThatADemoTakes() throws IOException {
        Path file = ModelStore.open(ModelStore.defaultHome()).fetch(DefaultModel.SMOLLM2, ProgressListener.NONE);
        List<Integer> lengths = new ArrayList<>();
        int toGenerate = 0;
        try (GgufFile gguf = GgufFile.open(file)) {
            Tokenizer tokenizer = Tokenizer.of(gguf.metadata());
            ChatTemplate template = ChatTemplate.of(gguf.metadata());
            for (PromptRequest sample : samples()) {
                if (!isBad(sample)) {
                    lengths.add(tokenizer.encode(text(template, sample), ParseSpecial.PARSE).length);
                    toGenerate += Objects.requireNonNull(sample.getMaxTokens());
                    assertThat(sample.getTemperature()).isNotNull();
                }
            }
        }
        assertThat(lengths.stream().mapToInt(Integer::intValue).sum()).isLessThanOrEqualTo(6_000);
        assertThat(toGenerate).isLessThanOrEqualTo(2_400);
        assertThat(lengths).hasSizeGreaterThanOrEqualTo(55).anyMatch(length -> length < 20);
        assertThat(lengths).anyMatch(length -> length > 550).allMatch(length -> length < 700);
    }

    @Test
    void shouldComeFromSeveralTenantsWithIdsOfTheirOwnAndThreeBadOnes() throws IOException {
        Set<String> ids = new HashSet<>();
        Set<String> tenants = new HashSet<>();
        int bad = 0;
        for (PromptRequest sample : samples()) {
            ids.add(Objects.requireNonNull(sample.getRequestId()));
            tenants.add(Objects.requireNonNull(sample.getTenant()));
            bad += isBad(sample) ? 1 : 0;
        }
        assertThat(ids).hasSameSizeAs(samples());
        assertThat(tenants).hasSizeGreaterThanOrEqualTo(3);
        assertThat(bad).isEqualTo(3);
    }

    private static boolean isBad(PromptRequest sample) {
        return "bad".equals(sample.getMetadata().get("task"));
    }

    private static String text(ChatTemplate template, PromptRequest sample) {
        return switch (RequestFactory.input(sample)) {
            case Input.Text text -> text.text();
            case Input.Conversation conversation ->
                template.render(conversation.messages(), ChatTemplate.GenerationPrompt.ADD);
            case Input.TokenIds ids -> throw new InvalidRequestException("prompt_token_ids", ids, "a text");
        };
    }

    private static List<PromptRequest> samples() throws IOException {
        var in = Objects.requireNonNull(SamplesTest.class.getResourceAsStream("/samples/support-desk.jsonl"));
        List<PromptRequest> samples = new ArrayList<>();
        try (var reader = new PromptReader(new LineReader(in), Format.JSON, Defaults.NONE)) {
            for (Optional<Entry> entry = reader.next(); entry.isPresent(); entry = reader.next()) {
                samples.add(((Entry.Prompt) entry.get()).request());
            }
        }
        return samples;
    }
}
