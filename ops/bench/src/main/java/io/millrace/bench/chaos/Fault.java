package io.millrace.bench.chaos;

import java.time.Duration;

/**
 * One fault of a schedule.
 *
 * @param at after the schedule's start
 * @param target which worker or broker: the one of that number, modulo how many there are
 * @param length how long what was broken stays so, or until what went comes back
 * @param variant chooses among forms of the fault, 0 or 1
 */
public record Fault(Duration at, FaultKind kind, int target, Duration length, int variant) {}
