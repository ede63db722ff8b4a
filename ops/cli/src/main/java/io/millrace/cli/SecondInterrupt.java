package io.millrace.cli;

import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ctrl-C while a shutdown is under way: ends the JVM at once. The JVM runs its hooks at the first signal and is deaf to all that
 * follow; only {@code sun.misc.Signal}, of the module jdk.unsupported, hears them. By reflection, since the compiler warns of that
 * class and nothing silences it.
 */
final class SecondInterrupt {

    private static final Logger LOG = LoggerFactory.getLogger(SecondInterrupt.class);

    private SecondInterrupt() {}

    /** From now on Ctrl-C halts the JVM. Called when it goes down: before, Ctrl-C has to begin that. */
    static void halts() {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object halt = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (_, _, _) -> {
                Runtime.getRuntime().halt(ExitCode.INTERRUPTED.value);
                return null;
            });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), halt);
            LOG.info("stopping; another Ctrl-C ends this process at once: nothing is lost");
        } catch (ReflectiveOperationException e) {
            LOG.debug("another Ctrl-C changes nothing", e); // with -Xrs, or on another JVM
        }
    }
}
