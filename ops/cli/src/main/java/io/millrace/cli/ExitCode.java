package io.millrace.cli;

/** How the command ended, as the shell sees it. */
enum ExitCode {
    OK(0, "done"),
    INTERNAL(1, "an error in millrace itself; --verbose shows where"),
    USAGE(2, "the command line is wrong"),
    CONFIG(3, "the configuration is wrong"),
    INPUT(4, "some of the input was refused or failed; the rest was done"),
    MODEL(5, "the model is unknown, cannot be fetched or cannot be read"),
    KAFKA(6, "Kafka, its topics or the registry cannot be used"),
    WARNING(7, "a check found something that works but should be changed"),
    ENGINE(8, "an engine answered no more; a new process takes up its work"),
    INTERRUPTED(130, "interrupted (143 on SIGTERM)");

    final int value;
    final String meaning;

    ExitCode(int value, String meaning) {
        this.value = value;
        this.meaning = meaning;
    }
}
