package io.millrace.streams.config;

import io.millrace.streams.config.Problem.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects what is wrong with one file, so that all of it is told at once. */
final class Problems {
    /** Bound on what is told: a file of another kind would be wrong in each line. */
    static final int MAX_PROBLEMS = 100;

    private final String file;
    private final List<Problem> problems = new ArrayList<>();
    private boolean hasErrors;

    Problems(String file) {
        this.file = file;
    }

    String file() {
        return file;
    }

    boolean hasErrors() {
        return hasErrors;
    }

    void error(Place place, String message) {
        hasErrors = true;
        add(Severity.ERROR, place, message);
    }

    void warning(Place place, String message) {
        add(Severity.WARNING, place, message);
    }

    private void add(Severity severity, Place place, String message) {
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(new Problem(severity, file, place.line(), place.column(), message));
        }
    }

    List<Problem> inOrder() {
        return problems.stream()
                .sorted(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column))
                .toList();
    }
}
