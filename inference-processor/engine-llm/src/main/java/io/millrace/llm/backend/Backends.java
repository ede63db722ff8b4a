package io.millrace.llm.backend;

import io.millrace.llm.backend.cpu.CpuBackend;
import io.millrace.llm.backend.reference.ReferenceBackend;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the backend, and says which and why. */
public final class Backends {

    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    private Backends() {}

    /**
     * Opens a backend. {@code auto} is {@code cpu} where it runs, else {@code reference}.
     *
     * @param name {@code auto}, {@code cpu} or {@code reference}
     * @param threads threads that compute, 0 for as many as there are processors
     * @throws IllegalArgumentException for another name or a negative number
     * @throws IllegalStateException where a backend asked for by name can't run here; the message names the remedy
     */
    public static Backend open(String name, int threads) {
        boolean vectorModule = ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
        return open(name, threads, vectorModule);
    }

    static Backend open(String name, int threads, boolean vectorModule) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads=" + threads + ", expected=0 (all processors) or more");
        }
        return switch (name) {
            case "auto" ->
                vectorModule ? cpu(threads, "auto") : reference("auto, and the cpu backend can't run: " + remedy());
            case "cpu" -> {
                if (!vectorModule) {
                    throw new IllegalStateException("backend=cpu, expected=" + remedy());
                }
                yield cpu(threads, "asked for by name");
            }
            case "reference" -> reference("asked for by name");
            default -> throw new IllegalArgumentException("backend=" + name + ", expected=auto, cpu or reference");
        };
    }

    private static String remedy() {
        return "module " + VECTOR_MODULE + " (start java with --add-modules " + VECTOR_MODULE + ")";
    }

    private static Backend cpu(int threads, String why) {
        int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        int bits = CpuBackend.preferredVectorBits();
        if (why.equals("auto") && bits < CpuBackend.VECTOR_BITS) {
            return reference("auto, and the cpu backend's kernels need vectors of " + CpuBackend.VECTOR_BITS
                    + " bits; this machine's have " + bits);
        }
        LOG.info(
                "backend=cpu ({}), threads={}, vectors of {} of the machine's {} bits",
                why,
                count,
                CpuBackend.VECTOR_BITS,
                bits);
        return new CpuBackend(count);
    }

    private static Backend reference(String why) {
        LOG.info("backend=reference ({}): scalar, one thread", why);
        return new ReferenceBackend();
    }
}
