package io.millrace.llm.tokenizer.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates come with model files from anywhere: none may hang, crash or fill the memory. */
class TemplateLimitsTest {

    private static final String[] GARBLE = {
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "+",
        " ",
        "\n",
        "if",
        "for",
        "in",
        "x",
        "endif",
        "endfor",
        "else",
        "set",
        "=",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'a'",
        "1",
        "2.5",
        ".",
        "|",
        "upper",
        "is",
        "defined",
        "not",
        "and",
        ",",
        ":",
        "loop",
        "macro",
        "endmacro",
        "*",
        "/",
        "%",
        "~",
        "messages",
        "range",
        "raw",
        "endraw",
        "tojson",
        "join",
        "9999999999",
        "\\",
        "\"",
        "é",
        "😀",
        "elif",
        "namespace",
    };

    @Test
    void shouldNameAConstructThatIsNotSupportedAndItsPlace() {
        assertRefused("a\n {% include 'x' %}", "line 2, column 5: tag 'include' is not supported here");
        assertRefused("{{ x | sort }}", "line 1, column 6: filter 'sort' is not supported");
        assertRefused("{{ x is filter }}", "line 1, column 6: test 'filter' is not supported");
        assertRefused("{{ x.format(1) }}", "line 1, column 12: method 'format' is not supported");
        assertRefused("{{ cycler(1) }}", "line 1, column 10: function 'cycler' is not supported");
        assertRefused("{% for x in y recursive %}{% endfor %}", "line 1, column 15: expected '%}', found 'recursive'");
        assertRefused("{{ f(*x) }}", "line 1, column 6: unpacked arguments, * and **, are not supported");
        assertRefused("{{ x", "line 1, column 1: a tag that does not end with '}}'");
        assertRefused("{% if x %}", "line 1, column 11: expected one of [elif, else, endif], found the end");
    }

    @Test
    void shouldSayWhereRenderingFailed() {
        assertThatThrownBy(() -> render("ok\n  {{ x.y }}"))
                .isInstanceOf(TemplateException.class)
                .hasMessage("line 2, column 3: 'x' is undefined");
        assertThatThrownBy(() -> render("{{ raise_exception('no tools, please') }}"))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.kind()).isEqualTo(TemplateException.Cause.RAISED))
                .hasMessage("no tools, please");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}",
                "{% set a = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set a.x = [a.x, a.x] %}{% set a.y = [a.y, a.y] %}"
                        + "{% endfor %}{{ a.x == a.y }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
                "{{ 'a' * 99999999999 }}",
                "{{ [1] * 99999999999 }}",
                "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
                "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
                "{{ range(99999) | join('x' * 100000) }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% macro f(x) %}{{ f(x) ~ f(x) }}{% endmacro %}{{ f(1) }}",
                "{{ ('a\n' * 99999) | indent('x' * 99999) }}",
                "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' * 1000 }}{% endfor %}",
            })
    void shouldStopATemplateThatTakesTooMuch(String source) {
        assertThatThrownBy(() -> render(source))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.kind()).isEqualTo(TemplateException.Cause.LIMIT));
    }

    @Test
    void shouldRefuseWhatNestsTooDeeply() {
        for (String nested : List.of(
                "(".repeat(5000) + "1" + ")".repeat(5000),
                "[".repeat(5000) + "]".repeat(5000),
                "-".repeat(5000) + "1",
                "not ".repeat(5000) + "1",
                "x" + ".a".repeat(5000),
                "x" + "|upper".repeat(5000),
                "1" + " + 1".repeat(5000),
                "1 if ".repeat(5000) + "1",
                "x" + "[0]".repeat(5000),
                "x" + "[x".repeat(5000) + "]".repeat(5000),
                "{1:".repeat(5000) + "1" + "}".repeat(5000))) {
            renderOrRefuse("{{ " + nested + " }}");
        }
        renderOrRefuse("{% if 1 %}".repeat(5000) + "{% endif %}".repeat(5000));
        renderOrRefuse("{% for x in [1] %}".repeat(90) + "x" + "{% endfor %}".repeat(90));
        assertRefused("x".repeat(Template.MAX_SOURCE + 1), "262145 characters, expected at most 262144");
    }

    @Test
    void shouldRenderOrRefuseButNeverCrashOnGarbledTemplates() {
        Random random = new Random(99);
        for (int round = 0; round < 20_000; round++) {
            StringBuilder source = new StringBuilder(random.nextBoolean() ? "{{ " : "{% ");
            for (int i = random.nextInt(14); i >= 0; i--) {
                source.append(GARBLE[random.nextInt(GARBLE.length)]).append(random.nextInt(3) == 0 ? "" : " ");
            }
            source.append(random.nextBoolean() ? " }}" : " %}");
            renderOrRefuse(source.toString());
        }
    }

    private static void renderOrRefuse(String source) {
        try {
            render(source);
        } catch (TemplateException refused) {
            assertThat(refused).hasMessageMatching("(?s).+");
        }
    }

    private static void assertRefused(String source, String message) {
        assertThatThrownBy(() -> Template.parse(source))
                .isInstanceOf(TemplateException.class)
                .hasMessage(message);
    }

    private static String render(String source) {
        return Template.parse(source)
                .render(Map.of("messages", List.of(Map.of("role", "user", "content", "hi"))), Clock.systemUTC());
    }
}
