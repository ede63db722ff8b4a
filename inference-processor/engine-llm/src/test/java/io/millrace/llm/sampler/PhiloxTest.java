package io.millrace.llm.sampler;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PhiloxTest {

    /** Lines "philox4x32 10" of kat_vectors in Random123 1.14.0. */
    @Test
    void shouldGiveTheKnownAnswersOfRandom123() {
        assertThat(Philox.block(0, 0, 0, 0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        assertThat(Philox.block(-1, -1, -1, -1, -1, -1))
                .containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        assertThat(Philox.block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0))
                .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    @Test
    void shouldDrawUniformNumbersFromSeedAndPositionAlone() {
        assertThat(Philox.uniform(7, 3)).isEqualTo(Philox.uniform(7, 3)).isNotEqualTo(Philox.uniform(7, 4));
        assertThat(Philox.uniform(7, 3)).isNotEqualTo(Philox.uniform(7 + (1L << 32), 3));
        int[] counts = new int[10];
        for (int position = 0; position < 100_000; position++) {
            double uniform = Philox.uniform(42, position);
            assertThat(uniform).isBetween(0.0, Math.nextDown(1.0));
            counts[(int) (uniform * 10)]++;
        }
        double chiSquare = 0;
        for (int count : counts) {
            chiSquare += Math.pow(count - 10_000, 2) / 10_000;
        }
        assertThat(chiSquare).as("9 degrees of freedom, 99.9%%").isLessThan(27.88);
    }
}
