package io.millrace.llm.tokenizer.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.llm.golden.Golden;
import java.io.IOException;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Single constructs, against what Python's jinja2 makes of them: ops/golden/template_goldens.py. */
class SnippetGoldenTest {

    /** What jinja2 can and Millrace refuses; each with a message that says so. */
    private static final List<String> REFUSED = List.of("{% raw %}");

    private static final JsonNode GOLDEN = read();

    private static JsonNode read() {
        try {
            return Golden.json("templates.json");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static List<JsonNode> snippets() {
        return GOLDEN.get("snippets").valueStream().toList();
    }

    @ParameterizedTest
    @MethodSource("snippets")
    void shouldDoWhatJinja2Does(JsonNode snippet) {
        String source = snippet.get("source").textValue();
        if (snippet.has("text") && !REFUSED.contains(source)) {
            assertThat(render(Template.parse(source)))
                    .isEqualTo(snippet.get("text").textValue());
        } else if (snippet.has("text") || snippet.get("fails").textValue().equals("load")) {
            assertThatThrownBy(() -> Template.parse(source)).isInstanceOf(TemplateException.class);
        } else {
            assertThatThrownBy(() -> render(Template.parse(source))).isInstanceOf(TemplateException.class);
        }
    }

    private static String render(Template template) {
        Map<String, @Nullable Object> variables =
                new ObjectMapper().convertValue(GOLDEN.get("variables"), new TypeReference<>() {});
        LocalDateTime now = LocalDateTime.parse(GOLDEN.get("now").textValue());
        return template.render(variables, Clock.fixed(now.toInstant(ZoneOffset.UTC), ZoneOffset.UTC));
    }
}
