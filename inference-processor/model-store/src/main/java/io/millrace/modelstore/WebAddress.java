package io.millrace.modelstore;

import java.net.URI;
import java.util.Set;

/** Which web addresses a model may come from: encrypted ones, and this machine itself. */
final class WebAddress {
    private static final Set<String> THIS_MACHINE = Set.of("127.0.0.1", "localhost", "[::1]");

    private WebAddress() {}

    static boolean isAllowed(URI uri) {
        return "https".equalsIgnoreCase(uri.getScheme())
                || ("http".equalsIgnoreCase(uri.getScheme()) && THIS_MACHINE.contains(uri.getHost()));
    }

    /** Whether a credential for the one may be sent to the other. */
    static boolean isSameOrigin(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme())
                && a.getHost().equalsIgnoreCase(b.getHost())
                && a.getPort() == b.getPort();
    }
}
