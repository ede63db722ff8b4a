package io.millrace.streams.control;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.streams.control.ControlTopic.Target;
import io.millrace.streams.records.PromptIdentity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The commands in force: each target's latest cancel, and its pause unless it was resumed. A CANCEL touches the prompts
 * that were admitted at or before it was issued; a PAUSE holds all of a target's prompts, later ones too. A cancel goes
 * before a pause.
 *
 * <p>Two instances may see a command at different moments, and then treat two prompts of one job differently. Nothing is
 * doubled by that: a prompt is one entry of one task's pending store, only that task's owner gives it an ending, whichever
 * it is, and the commit that carries the ending is fenced like any other. A command decides which ending a prompt gets or
 * when it runs, never how many.
 *
 * <p>Threads: one writes, the control topic's reader; any may ask. Guards: concurrent maps; the index of cancels is the
 * monitor's.
 */
public final class Controls {

    /**
     * Most cancels that are remembered, and most pauses: 20,000 commands of about 300 bytes are 6 MB; with everything as
     * long as it may be ({@link #MAX_TARGET_CHARS}, {@link #MAX_SHOWN_CHARS}) 60 MB. Beyond it the cancel issued first is
     * forgotten: whom it was for has ended but for what it missed.
     */
    static final int MAX_COMMANDS = 20_000;

    /** Longest target that a command may have. */
    static final int MAX_TARGET_CHARS = 512;

    /** Longest part of a command's id or reason that messages repeat. */
    static final int MAX_SHOWN_CHARS = 500;

    private final int maxCommands;
    private final Map<Target, Cancel> cancels = new ConcurrentHashMap<>();
    private final Map<Target, String> pauses = new ConcurrentHashMap<>();
    private final TreeSet<Cancel> oldestFirst =
            new TreeSet<>(Comparator.comparingLong(Cancel::issuedAtMs).thenComparing(Cancel::message));

    private record Cancel(Target target, long issuedAtMs, String message) {}

    public Controls() {
        this(MAX_COMMANDS);
    }

    Controls(int maxCommands) {
        this.maxCommands = maxCommands;
    }

    /** What is to be done with a prompt that was admitted at this time, milliseconds since 1970-01-01 UTC. */
    public Verdict verdict(PromptIdentity prompt, long admittedAtMs) {
        if (cancels.isEmpty() && pauses.isEmpty()) {
            return Verdict.PROCEED;
        }
        List<Target> targets = targets(prompt);
        for (Target target : targets) {
            Cancel cancel = cancels.get(target);
            if (cancel != null && admittedAtMs <= cancel.issuedAtMs) {
                return new Verdict.Cancelled(cancel.message);
            }
        }
        for (Target target : targets) {
            if (pauses.containsKey(target)) {
                return new Verdict.Paused(target.toString());
            }
        }
        return Verdict.PROCEED;
    }

    private static List<Target> targets(PromptIdentity prompt) {
        List<Target> targets = new ArrayList<>(3);
        targets.add(new Target(ControlScope.REQUEST, prompt.requestId()));
        addIfPresent(targets, ControlScope.JOB, prompt.jobId());
        addIfPresent(targets, ControlScope.TENANT, prompt.tenant());
        return targets;
    }

    private static void addIfPresent(List<Target> targets, ControlScope scope, @Nullable String name) {
        if (name != null) {
            targets.add(new Target(scope, name));
        }
    }

    /**
     * Puts a command in force.
     *
     * @return what is wrong with it, and then nothing has changed; empty where it holds
     */
    public synchronized Optional<String> apply(ControlCommand command) {
        Optional<String> complaint = complaint(command);
        if (complaint.isPresent()) {
            return complaint;
        }
        Target target = new Target(command.getScope(), command.getTarget());
        switch (command.getAction()) {
            case CANCEL -> cancel(new Cancel(target, command.getIssuedAt().toEpochMilli(), message(target, command)));
            case PAUSE -> {
                if (pauses.size() >= maxCommands && !pauses.containsKey(target)) {
                    return Optional.of("pauses=" + pauses.size() + ", expected=fewer than " + maxCommands
                            + ": resume targets that need no pause any more");
                }
                pauses.put(target, command.getCommandId());
            }
            case RESUME -> pauses.remove(target);
            case UNKNOWN -> throw new AssertionError("refused above");
        }
        return Optional.empty();
    }

    private Optional<String> complaint(ControlCommand command) {
        if (command.getAction() == ControlAction.UNKNOWN) {
            return Optional.of("action=UNKNOWN, expected=one of CANCEL, PAUSE, RESUME (a newer release may know it)");
        }
        if (command.getScope() == ControlScope.UNKNOWN) {
            return Optional.of("scope=UNKNOWN, expected=one of REQUEST, JOB, TENANT (a newer release may know it)");
        }
        int length = command.getTarget().length();
        if (length == 0 || length > MAX_TARGET_CHARS) {
            return Optional.of("target=" + shortened(command.getTarget()) + " of " + length
                    + " characters, expected=1 to " + MAX_TARGET_CHARS);
        }
        return Optional.empty();
    }

    private static String message(Target target, ControlCommand command) {
        String reason = command.getReason();
        String by = target + " was cancelled by command_id=" + shortened(command.getCommandId());
        return reason == null || reason.isBlank() ? by : by + ": " + shortened(reason);
    }

    /** The later of two holds, in whatever order they come: what one touched stays touched. */
    private void cancel(Cancel cancel) {
        Cancel before = cancels.get(cancel.target);
        if (before != null && before.issuedAtMs > cancel.issuedAtMs) {
            return;
        }
        cancels.put(cancel.target, cancel);
        if (before != null) {
            oldestFirst.remove(before);
        }
        oldestFirst.add(cancel);
        if (cancels.size() > maxCommands) {
            Cancel oldest = oldestFirst.removeFirst();
            cancels.remove(oldest.target);
        }
    }

    /** The topic has forgotten a key: a record without a value. Keys of another form are ignored. */
    public synchronized void forget(String key) {
        ControlTopic.parse(key).ifPresent(parsed -> {
            switch (parsed.kind()) {
                case CANCEL -> {
                    Cancel cancel = cancels.remove(parsed.target());
                    if (cancel != null) {
                        oldestFirst.remove(cancel);
                    }
                }
                case PAUSE -> pauses.remove(parsed.target());
            }
        });
    }

    private static String shortened(String text) {
        return text.length() <= MAX_SHOWN_CHARS ? text : text.substring(0, MAX_SHOWN_CHARS) + "…";
    }
}
