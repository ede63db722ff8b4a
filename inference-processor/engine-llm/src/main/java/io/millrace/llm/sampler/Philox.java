package io.millrace.llm.sampler;

/**
 * Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11). A draw is a pure function
 * of (seed, position): no state to keep, hand over or replay.
 */
final class Philox {

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final long LOW = 0xFFFFFFFFL;
    private static final double TWO_TO_MINUS_53 = 0x1p-53;

    private Philox() {}

    /** A uniform number in [0, 1) with 53 bits: the seed is the key, the position the counter. */
    static double uniform(long seed, int position) {
        int[] words = block(position, 0, 0, 0, (int) seed, (int) (seed >>> 32));
        long bits = (words[0] & LOW) << 21 ^ words[1] >>> 11;
        return bits * TWO_TO_MINUS_53;
    }

    /** The four words of counter (c0, c1, c2, c3) under key (k0, k1). */
    static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * (c0 & LOW);
            long product1 = MULTIPLIER_1 * (c2 & LOW);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return new int[] {c0, c1, c2, c3};
    }
}
