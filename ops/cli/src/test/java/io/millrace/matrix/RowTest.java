package io.millrace.matrix;

/**
 * A test that proves a row.
 *
 * @param row as its {@code @MatrixRow} names it
 * @param className with package
 */
record RowTest(String row, String className, String method) implements Comparable<RowTest> {

    String simpleClassName() {
        return className.substring(className.lastIndexOf('.') + 1);
    }

    @Override
    public String toString() {
        return simpleClassName() + "." + method;
    }

    @Override
    public int compareTo(RowTest other) {
        return (className + "." + method + row).compareTo(other.className + "." + other.method + other.row);
    }
}
