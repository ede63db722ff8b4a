package io.millrace.devstack.oracle;

import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the oracle found.
 *
 * @param inputs prompts below the committed offsets
 * @param uncommitted prompts that no commit covers
 * @param endings records for each prompt, among results, failures and dead letters
 * @param failed prompts with a failure record or a dead letter
 * @param pending entries left in the pending store
 */
public record Verdict(
        Set<Place> inputs,
        int uncommitted,
        Map<Place, Integer> endings,
        Set<Place> failed,
        List<InferenceResult> results,
        List<InferenceFailure> failures,
        int deadLetters,
        int metrics,
        int pending) {

    /** Most places that a violation lists. */
    private static final int MOST_LISTED = 20;

    /** Prompts without an ending. */
    public Set<Place> lost() {
        Set<Place> lost = new TreeSet<>(inputs);
        lost.removeAll(endings.keySet());
        return lost;
    }

    /** Prompts with more than one. */
    public Set<Place> doubled() {
        Set<Place> doubled = new TreeSet<>();
        endings.forEach((place, count) -> {
            if (count > 1) {
                doubled.add(place);
            }
        });
        return doubled;
    }

    /** Endings of what is no committed prompt. */
    public Set<Place> unfounded() {
        Set<Place> unfounded = new TreeSet<>(endings.keySet());
        unfounded.removeAll(inputs);
        return unfounded;
    }

    /** Prompts with a failure record or a dead letter that are not at fault themselves. */
    public Set<Place> wronglyFailed(Collection<Place> atFault) {
        Set<Place> wronglyFailed = new TreeSet<>(failed);
        wronglyFailed.removeAll(atFault);
        return wronglyFailed;
    }

    /** A line for each thing that is wrong, with the places; empty if every prompt was committed and ended exactly once. */
    public List<String> violations() {
        List<String> violations = new ArrayList<>();
        none("lost", lost(), violations);
        none("doubled", doubled(), violations);
        none("unfounded", unfounded(), violations);
        equal("prompts not committed", uncommitted, 0, violations);
        equal("entries left in the pending store", pending, 0, violations);
        equal("metrics records", metrics, results.size() + failures.size(), violations);
        return violations;
    }

    /** The same, and no prompt failed but those at fault. */
    public List<String> violations(Collection<Place> atFault) {
        List<String> violations = violations();
        none("wrongly failed", wronglyFailed(atFault), violations);
        return violations;
    }

    /**
     * For tests.
     *
     * @throws AssertionError unless every prompt was committed and ended exactly once
     */
    public void assertExactlyOnce() {
        List<String> violations = violations();
        if (!violations.isEmpty()) {
            throw new AssertionError("not exactly once: " + String.join("; ", violations));
        }
    }

    private static void none(String what, Set<Place> places, List<String> violations) {
        if (!places.isEmpty()) {
            violations.add(what + "=" + places.size() + ", expected=0: " + listed(places));
        }
    }

    private static String listed(Set<Place> places) {
        String listed = places.stream().limit(MOST_LISTED).map(Place::toString).collect(Collectors.joining(" "));
        return places.size() > MOST_LISTED ? listed + " …" : listed;
    }

    private static void equal(String what, int actual, int expected, List<String> violations) {
        if (actual != expected) {
            violations.add(what + "=" + actual + ", expected=" + expected);
        }
    }
}
