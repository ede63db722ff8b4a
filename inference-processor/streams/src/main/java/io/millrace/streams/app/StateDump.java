package io.millrace.streams.app;

import java.io.IOException;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the process was at when it gave up, for whoever looks into it: in the log, and in a file that rotation leaves alone. */
final class StateDump {

    private static final Logger LOG = LoggerFactory.getLogger(StateDump.class);

    private StateDump() {}

    /** Writes the dump to the log and to a file in {@code directory}, which the log names. */
    static void write(EngineWatchdog.Stall stall, ProcessorStatus status, Path directory) {
        String text = describe(stall, status);
        LOG.error("{}", text);
        try {
            Path file = Files.createTempFile(directory, "millrace-stalled-", ".txt");
            Files.writeString(file, text);
            LOG.error("the same is in {}", file);
        } catch (IOException e) {
            LOG.error("no file with the same in {}: {}", directory, e.toString());
        }
    }

    static String describe(EngineWatchdog.Stall stall, ProcessorStatus status) {
        StringBuilder text = new StringBuilder(stall.toString()).append("\n\n");
        text.append(stall.engine().describe()).append('\n');
        text.append("state=" + status.state() + ", pending=" + status.pending() + ", pending_bytes="
                + status.pendingBytes() + ", gate closed for " + status.closures() + "\n\n");
        for (ThreadInfo thread : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true)) {
            append(thread, text);
        }
        return text.toString();
    }

    /** Like {@link ThreadInfo#toString}, with the whole stack. */
    private static void append(ThreadInfo thread, StringBuilder text) {
        text.append('"' + thread.getThreadName() + "\" " + thread.getThreadState());
        if (thread.isInNative()) {
            text.append(" in native code");
        }
        if (thread.getLockName() != null) {
            text.append(" on " + thread.getLockName());
        }
        if (thread.getLockOwnerName() != null) {
            text.append(" held by \"" + thread.getLockOwnerName() + '"');
        }
        text.append('\n');
        StackTraceElement[] stack = thread.getStackTrace();
        for (int depth = 0; depth < stack.length; depth++) {
            text.append("    at " + stack[depth] + '\n');
            for (MonitorInfo monitor : thread.getLockedMonitors()) {
                if (monitor.getLockedStackDepth() == depth) {
                    text.append("      holding " + monitor + '\n');
                }
            }
        }
        for (LockInfo lock : thread.getLockedSynchronizers()) {
            text.append("    holding " + lock + '\n');
        }
        text.append('\n');
    }
}
