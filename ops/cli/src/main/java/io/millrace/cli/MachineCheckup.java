package io.millrace.cli;

import com.sun.management.OperatingSystemMXBean;
import io.millrace.cli.Checkup.Area;
import io.millrace.cli.Checkup.Severity;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** JDK, cores, memory, GPU. */
final class MachineCheckup {

    /** What {@code process} takes with the smallest model. */
    private static final long LEAST_HEAP_BYTES = 512L << 20;

    private static final int NVIDIA_SMI_SECONDS = 10;

    private final Checkup checkup;

    MachineCheckup(Checkup checkup) {
        this.checkup = checkup;
    }

    void run() {
        checkup.ok(
                Area.MACHINE,
                "JDK " + Runtime.version() + " (" + System.getProperty("java.vendor") + "), "
                        + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        cores(Runtime.getRuntime().availableProcessors());
        // of the container, where there is one
        memory(
                Runtime.getRuntime().maxMemory(),
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize());
        gpu();
    }

    void cores(int cores) {
        if (cores < 2) {
            checkup.found(
                    Area.MACHINE,
                    Severity.WARNING,
                    "cores=" + cores + ", expected=2 or more: the engine's steps hold up Kafka's heartbeats",
                    "give the process two cores, or set num_stream_threads: 1 and the model's threads: 1");
        } else {
            checkup.ok(Area.MACHINE, cores + " cores");
        }
    }

    void memory(long heapBytes, long memoryBytes) {
        String both = "heap at most " + mib(heapBytes) + " of " + mib(memoryBytes) + " memory";
        if (heapBytes < LEAST_HEAP_BYTES) {
            checkup.found(
                    Area.MACHINE,
                    Severity.WARNING,
                    both + ", expected=a heap of " + mib(LEAST_HEAP_BYTES) + " or more",
                    "start with JAVA_TOOL_OPTIONS=-Xmx2g, say");
        } else if (heapBytes > memoryBytes) {
            checkup.found(
                    Area.MACHINE,
                    Severity.WARNING,
                    both + ", expected=a heap that fits into memory",
                    "lower -Xmx; a process that runs out of memory is killed, and its prompts are computed again elsewhere");
        } else {
            checkup.ok(Area.MACHINE, both);
        }
    }

    private static String mib(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private void gpu() {
        if (!Files.exists(Path.of("/proc/driver/nvidia/version"))) {
            checkup.note(Area.MACHINE, "no NVIDIA driver: models of engine llm are computed on the cores");
            return;
        }
        checkup.note(
                Area.MACHINE,
                "GPU " + gpuNames()
                        + ": engine llm has no backend for it yet; a server on it can be used by engine remote");
    }

    private static String gpuNames() {
        try {
            Process process = new ProcessBuilder("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
                    .redirectErrorStream(true)
                    .start();
            if (!process.waitFor(NVIDIA_SMI_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return "(nvidia-smi does not answer)";
            }
            String names = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.exitValue() == 0
                    ? String.join("; ", names.lines().toList())
                    : "(nvidia-smi: " + names.strip() + ")";
        } catch (IOException e) {
            return "(no nvidia-smi)";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "(interrupted)";
        }
    }
}
