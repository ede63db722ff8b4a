package io.millrace.cli.redrive;

import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * Which failures or dead letters. Of dead letters only the times count, since what they are cannot be read.
 *
 * @param codes none: all but {@link #NOT_MEANT}
 * @param since at this time or later
 * @param until before this time
 */
public record Selection(
        Set<FailureCode> codes,
        Optional<Instant> since,
        Optional<Instant> until,
        Optional<String> job,
        Optional<String> tenant) {

    /** Failures that somebody wanted: they are redriven only where their code is named. */
    public static final Set<String> NOT_MEANT = Set.of("CANCELLED", "DUPLICATE_REQUEST");

    public Selection {
        codes = Set.copyOf(codes);
    }

    boolean takes(InferenceFailure failure) {
        FailureCode is = failure.getCode();
        boolean code = codes.isEmpty() ? !NOT_MEANT.contains(is.name()) : codes.contains(is);
        return code
                && takes(failure.getFailedAt())
                && job.map(name -> name.equals(failure.getJobId())).orElse(true)
                && tenant.map(name -> name.equals(failure.getTenant())).orElse(true);
    }

    boolean takes(Instant time) {
        return since.map(from -> !time.isBefore(from)).orElse(true)
                && until.map(time::isBefore).orElse(true);
    }
}
