package io.millrace.llm.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnswerTextTest {

    @Test
    void shouldShowACharacterSplitOverTokensOnceItIsWhole() {
        AnswerText answer = new AnswerText(List.of());
        byte[] face = "😀".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 3; i++) {
            answer.append(new byte[] {face[i]});
            assertThat(answer.text()).isEmpty();
        }
        answer.append(new byte[] {face[3]});
        assertThat(answer.text()).isEqualTo("😀");
    }

    @Test
    void shouldReplaceACharacterThatIsNeverFinished() {
        AnswerText answer = new AnswerText(List.of());
        answer.append(Arrays.copyOf("a😀".getBytes(StandardCharsets.UTF_8), 3));
        assertThat(answer.text()).isEqualTo("a");
        answer.end();
        assertThat(answer.text()).isEqualTo("a\uFFFD");
    }

    @Test
    void shouldReplaceBytesThatAreNoText() {
        AnswerText answer = new AnswerText(List.of());
        answer.append(new byte[] {(byte) 0x80, 'x'});
        answer.append(new byte[] {(byte) 0xE2, (byte) 0x82});
        answer.append(new byte[] {'y'});
        answer.end();
        assertThat(answer.text()).isEqualTo("\uFFFDx\uFFFDy");
    }

    @Test
    void shouldDecodeAnySplitOfBytesAsTheWhole() {
        Random random = new Random(7);
        for (int run = 0; run < 2_000; run++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            byte[] valid = "aé€😀 ".repeat(3).getBytes(StandardCharsets.UTF_8);
            byte[] all = random.nextBoolean() ? bytes : valid;
            AnswerText answer = new AnswerText(List.of());
            for (int from = 0; from < all.length; ) {
                int to = Math.min(all.length, from + 1 + random.nextInt(5));
                answer.append(Arrays.copyOfRange(all, from, to));
                from = to;
            }
            answer.end();
            assertThat(answer.text()).isEqualTo(new String(all, StandardCharsets.UTF_8));
        }
    }

    @Test
    void shouldCutAtAStopStringThatSpansTokensAndDropWhatFollows() {
        AnswerText answer = new AnswerText(List.of("END"));
        assertThat(append(answer, "a E")).isFalse();
        assertThat(append(answer, "N")).isFalse();
        assertThat(append(answer, "D, more")).isTrue();
        answer.end();
        assertThat(answer.text()).isEqualTo("a ");
    }

    @Test
    void shouldCutAtTheStopStringThatBeginsFirst() {
        AnswerText answer = new AnswerText(List.of("cd", "bcde", "zz"));
        assertThat(append(answer, "abcdef")).isTrue();
        assertThat(answer.text()).isEqualTo("a");
    }

    @Test
    void shouldNotStopAtWhatStoodThereBeforeStopsCounted() {
        AnswerText answer = new AnswerText(List.of("ab"));
        answer.append("xab".getBytes(StandardCharsets.UTF_8));
        assertThat(append(answer, "c")).isFalse();
        assertThat(append(answer, "ab")).isTrue();
        assertThat(answer.text()).isEqualTo("xabc");
    }

    @Test
    void shouldFindAStopStringOfOneCharacter() {
        AnswerText answer = new AnswerText(List.of("\n"));
        assertThat(append(answer, "line")).isFalse();
        assertThat(append(answer, "\n")).isTrue();
        assertThat(answer.text()).isEqualTo("line");
    }

    @Test
    void shouldFindAStopStringWhoseLastCharacterIsSplit() {
        AnswerText answer = new AnswerText(List.of("é!"));
        byte[] bytes = "né!".getBytes(StandardCharsets.UTF_8);
        assertThat(answer.appendUntilStop(Arrays.copyOfRange(bytes, 0, 2))).isFalse();
        assertThat(answer.appendUntilStop(Arrays.copyOfRange(bytes, 2, 3))).isFalse();
        assertThat(answer.appendUntilStop(Arrays.copyOfRange(bytes, 3, 4))).isTrue();
        assertThat(answer.text()).isEqualTo("n");
    }

    private static boolean append(AnswerText answer, String text) {
        return answer.appendUntilStop(text.getBytes(StandardCharsets.UTF_8));
    }
}
