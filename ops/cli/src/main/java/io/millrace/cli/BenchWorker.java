package io.millrace.cli;

import io.millrace.devstack.ParentWatch;

/** {@code millrace process} as the benchmarks start it: it ends when they do, however they end. */
final class BenchWorker {

    private BenchWorker() {}

    /** Arguments: those of {@code process}. */
    public static void main(String[] args) {
        ParentWatch.start(line -> {});
        String[] process = new String[args.length + 1];
        process[0] = "process";
        System.arraycopy(args, 0, process, 1, args.length);
        Main.main(process);
    }
}
