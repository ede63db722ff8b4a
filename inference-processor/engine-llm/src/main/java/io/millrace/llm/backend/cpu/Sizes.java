package io.millrace.llm.backend.cpu;

import java.util.Arrays;

/** Lengths of Java arrays, checked. */
final class Sizes {

    /** Some JVMs can't allocate the last few. */
    private static final long LARGEST = Integer.MAX_VALUE - 8L;

    private Sizes() {}

    /**
     * The product of the factors.
     *
     * @throws IllegalArgumentException where it is longer than a Java array can be
     */
    static int length(String what, long... factors) {
        long length = 1;
        for (long factor : factors) {
            length = Math.multiplyHigh(length, factor) == 0 ? length * factor : Long.MAX_VALUE;
            if (length < 0 || length > LARGEST) {
                throw new IllegalArgumentException("elements of " + what + "=" + Arrays.toString(factors)
                        + ", expected=a product of at most " + LARGEST + " (one Java array)");
            }
        }
        return (int) length;
    }
}
