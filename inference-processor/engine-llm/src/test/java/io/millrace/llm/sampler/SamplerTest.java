package io.millrace.llm.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.Output.TokenLogprob;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SamplerTest {

    private static final int DRAWS = 20_000;

    /** Probabilities 0.4, 0.3, 0.15, 0.1, 0.05 of ids 3, 0, 4, 1, 2. */
    private static final float[] LOGITS = logs(0.3, 0.1, 0.05, 0.4, 0.15);

    private final Sampler sampler = new Sampler(LOGITS.length);

    @Test
    void shouldTakeTheLowestIdAmongEqualLargestLogitsWhenGreedy() {
        assertThat(draw(new float[] {1, 5, 2, 5, 5}, request(0))).isEqualTo(1);
    }

    @Test
    void shouldDrawFromTheDistributionThatTemperatureGives() {
        assertDistribution(request(1), 0.3, 0.1, 0.05, 0.4, 0.15);
        double[] squares = {0.09, 0.01, 0.0025, 0.16, 0.0225};
        double total = Arrays.stream(squares).sum();
        assertDistribution(
                request(0.5), Arrays.stream(squares).map(p -> p / total).toArray());
    }

    @Test
    void shouldKeepTheTopK() {
        assertDistribution(new Builder().topK(2).build(0), 3 / 7.0, 0, 0, 4 / 7.0, 0);
        assertDistribution(new Builder().topK(1).build(0), 0, 0, 0, 1, 0);
        assertDistribution(new Builder().topK(99).build(0), 0.3, 0.1, 0.05, 0.4, 0.15);
    }

    @Test
    void shouldBreakTiesAtTheEdgeOfTheTopKByTheLowerId() {
        float[] logits = {1, 2, 1, 1, 0};
        for (int position = 0; position < 200; position++) {
            assertThat(draw(logits, new Builder().topK(2).build(position))).isIn(0, 1);
        }
    }

    @Test
    void shouldKeepTheFewestTokensThatHoldTopP() {
        assertDistribution(new Builder().topP(0.69).build(0), 3 / 7.0, 0, 0, 4 / 7.0, 0);
        assertDistribution(new Builder().topP(0.71).build(0), 0.3 / 0.85, 0, 0, 0.4 / 0.85, 0.15 / 0.85);
        assertDistribution(new Builder().topP(1e-9).build(0), 0, 0, 0, 1, 0);
    }

    @Test
    void shouldMeasureTopPOnWhatTopKAndMinPLeft() {
        // of the top 3 (0.4, 0.3, 0.15), renormalized: 0.47, 0.35, 0.18
        assertDistribution(new Builder().topK(3).topP(0.8).build(0), 3 / 7.0, 0, 0, 4 / 7.0, 0);
        // min_p 0.5 leaves 0.4 and 0.3: 0.571, 0.429
        assertDistribution(new Builder().minP(0.5).topP(0.57).build(0), 0, 0, 0, 1, 0);
    }

    @Test
    void shouldKeepTokensOfAtLeastMinPTimesTheBest() {
        assertDistribution(new Builder().minP(0.3).build(0), 0.3 / 0.85, 0, 0, 0.4 / 0.85, 0.15 / 0.85);
        assertDistribution(new Builder().minP(1).build(0), 0, 0, 0, 1, 0);
    }

    @Test
    void shouldPenalizeEachIdOfTheHistoryOnceWhateverItsSign() {
        SampleRequest request = new Builder().temperature(0).penalty(2, 1, 1, 3).build(0);
        assertThat(draw(new float[] {1.1f, 2, 1, -1, 0}, request)).isZero();
        assertThat(draw(new float[] {-3, -1.9f, -4, -1, -9}, request)).isEqualTo(3);
        assertThat(draw(new float[] {0.9f, 2, 0.5f, -1, 0}, request)).isEqualTo(1);
    }

    @Test
    void shouldDrawOnlyWhatTheMaskAllows() {
        assertDistribution(new Builder().allowed(0b10110).build(0), 0, 1 / 3.0, 1 / 6.0, 0, 0.5);
        assertThat(draw(LOGITS, new Builder().temperature(0).allowed(0b00110).build(0)))
                .isEqualTo(1);
    }

    @Test
    void shouldRefuseAMaskThatAllowsNothing() {
        assertThatThrownBy(() -> draw(LOGITS, new Builder().allowed(0).build(0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("tokens that may be drawn=0, expected=at least 1");
    }

    @Test
    void shouldRefuseLogitsThatAreNoNumbers() {
        float[] nan = {1, 2, Float.NaN, 0, 0};
        assertThatThrownBy(() -> draw(nan, request(0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("logit of token 2=NaN, expected=a finite number");
        float[] infinite = {1, Float.POSITIVE_INFINITY, 0, 0, 0};
        assertThatThrownBy(() -> draw(infinite, request(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("logit of token 1=Infinity, expected=a finite number");
    }

    @Test
    void shouldReportLogprobsOfTheUnmodifiedLogits() {
        SampleRequest request = new Builder()
                .temperature(0)
                .penalty(10, 3)
                .allowed(0b00111)
                .logprobs(3)
                .build(0);
        SampledToken sampled = sampler.sample(LOGITS.clone(), 0, request);
        assertThat(sampled.id()).isZero();
        PositionLogprobs logprobs = sampled.logprobs().orElseThrow();
        assertThat(logprobs.tokenId()).isZero();
        assertThat(logprobs.logprob()).isCloseTo((float) Math.log(0.3), within(1e-6f));
        assertThat(logprobs.top().stream().map(TokenLogprob::tokenId)).containsExactly(3, 0, 4);
        assertThat(logprobs.top().get(0).logprob()).isCloseTo((float) Math.log(0.4), within(1e-6f));
        assertThat(sampler.sample(LOGITS, 0, request(0)).logprobs()).isEmpty();
    }

    @Test
    void shouldLeaveTheLogitsAsTheyAreAndReadOnlyItsRow() {
        float[] rows = {9, 9, 0.3f, 0.1f, 0.05f, 0.4f, 0.15f, 9, 9};
        float[] before = rows.clone();
        sampler.sample(
                rows, 2, new Builder().penalty(3, 0, 3).allowed(0b01001).topK(3).build(1));
        assertThat(rows).containsExactly(before);
        assertThat(sampler.sample(rows, 2, request(0)).id()).isEqualTo(3);
    }

    @Test
    void shouldDrawTheSameTokenForTheSameSeedAndPositionAndAnotherForOthers() {
        int[] first = new int[64];
        int[] again = new int[64];
        int[] otherSeed = new int[64];
        for (int position = 0; position < first.length; position++) {
            first[position] = draw(LOGITS, new Builder().build(position));
            again[position] = draw(LOGITS, new Builder().build(position));
            otherSeed[position] = draw(LOGITS, new Builder().seed(99).build(position));
        }
        assertThat(again).containsExactly(first);
        assertThat(otherSeed).isNotEqualTo(first);
    }

    @Test
    void shouldKeepTheSameNucleusAsAFullSortOnALargeVocabulary() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int vocab = 5000;
        float[] logits = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            logits[i] = (float) (random.nextGaussian() * 3);
        }
        Sampler large = new Sampler(vocab);
        for (int position = 0; position < 200; position++) {
            double topP = 0.05 + 0.9 * random.nextDouble();
            int id = large.sample(logits, 0, new Builder().topP(topP).build(position))
                    .id();
            assertThat(probabilityAbove(logits, id)).as("seed=%d", seed).isLessThan(topP);
        }
    }

    /** Probability of all tokens that are likelier than this one. */
    private static double probabilityAbove(float[] logits, int id) {
        double above = 0;
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit);
            above += logit > logits[id] ? Math.exp(logit) : 0;
        }
        return above / total;
    }

    private void assertDistribution(SampleRequest request, double... expected) {
        int[] counts = new int[expected.length];
        for (int position = 0; position < DRAWS; position++) {
            counts[draw(LOGITS, at(request, position))]++;
        }
        double chiSquare = 0;
        for (int id = 0; id < expected.length; id++) {
            double mean = expected[id] * DRAWS;
            if (mean == 0) {
                assertThat(counts[id]).as("draws of token %d", id).isZero();
            } else {
                chiSquare += Math.pow(counts[id] - mean, 2) / mean;
            }
        }
        assertThat(chiSquare).as("at most 4 degrees of freedom, 99.9%%").isLessThan(18.47);
    }

    private int draw(float[] logits, SampleRequest request) {
        return sampler.sample(logits, 0, request).id();
    }

    private static SampleRequest request(double temperature) {
        return new Builder().temperature(temperature).build(0);
    }

    private static SampleRequest at(SampleRequest r, int position) {
        return new SampleRequest(
                r.temperature(),
                r.topK(),
                r.topP(),
                r.minP(),
                r.repetitionPenalty(),
                r.history(),
                r.seed(),
                position,
                r.allowed(),
                r.logprobs());
    }

    private static float[] logs(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]);
        }
        return logits;
    }

    private static final class Builder {

        private double temperature = 1;
        private int topK;
        private double topP = 1;
        private double minP;
        private double penalty = 1;
        private int[] history = {};
        private long seed = 20261124;
        private Optional<long[]> allowed = Optional.empty();
        private OptionalInt logprobs = OptionalInt.empty();

        Builder temperature(double value) {
            temperature = value;
            return this;
        }

        Builder topK(int value) {
            topK = value;
            return this;
        }

        Builder topP(double value) {
            topP = value;
            return this;
        }

        Builder minP(double value) {
            minP = value;
            return this;
        }

        Builder penalty(double value, int... ids) {
            penalty = value;
            history = ids;
            return this;
        }

        Builder seed(long value) {
            seed = value;
            return this;
        }

        Builder allowed(long bits) {
            allowed = Optional.of(new long[] {bits});
            return this;
        }

        Builder logprobs(int value) {
            logprobs = OptionalInt.of(value);
            return this;
        }

        SampleRequest build(int position) {
            return new SampleRequest(
                    temperature, topK, topP, minP, penalty, history, seed, position, allowed, logprobs);
        }
    }
}
