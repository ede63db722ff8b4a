package io.millrace.cli.redrive;

import java.time.Instant;

/**
 * A failure or a dead letter that the filters let through.
 *
 * @param id where its record stands: what is remembered of it once it is redriven
 * @param code the failure's code, or the class of the dead letter's exception
 * @param requestId the prompt's; of a dead letter its place
 * @param prompt where the prompt stood, of which the partition gets it again
 * @param promptTime the prompt record's timestamp, as the failure has it; of a dead letter that of its own record
 * @param bytes where the bytes to send are: the prompt itself, or the dead letter
 */
public record Candidate(Place id, String code, String requestId, Place prompt, Instant promptTime, Place bytes) {}
