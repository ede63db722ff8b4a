package io.millrace.bench.chaos;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is done to workers, brokers and connections. */
public enum FaultKind {
    KILL("SIGKILL of a worker, another is started in its place"),
    STOP("SIGSTOP of a worker for longer than its session, then SIGCONT"),
    STOP_RESTORED(
            "SIGKILL of a worker, and the first to restore its prompts is stopped at once for longer than its session"),
    SCALE_DOWN("SIGTERM of a worker, started again later"),
    SCALE_UP("one worker more, SIGTERM later"),
    BROKER_RESTART("a broker is shut down in order and started again"),
    BROKER_KILL("SIGKILL of a broker, started again"),
    CUT("a broker's client connections are cut, and new ones refused for a while"),
    DELAY("each message to and from a broker's clients is late for a while"),
    STALL("nothing passes from a broker's clients, or to them, for a while"),
    LOST_ACK("a broker's answer to the end of a transaction is lost, the connection with it or nothing else");

    private final String description;

    FaultKind(String description) {
        this.description = description;
    }

    /** What happens, for people. */
    public String description() {
        return description;
    }

    /** As the command line names it: {@code broker-kill}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The kind of that name.
     *
     * @throws IllegalArgumentException naming all kinds
     */
    public static FaultKind of(String name) {
        return Arrays.stream(values())
                .filter(kind -> kind.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("faults=" + name + ", expected=some of "
                        + Arrays.stream(values()).map(FaultKind::toString).collect(Collectors.joining(", "))));
    }
}
