package io.millrace.streams.config;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** What an instance is called that was given no name. */
final class InstanceName {
    private InstanceName() {}

    /** Host name and process id; unique among the processes of a cluster whose hosts have names. */
    static String derived() {
        return hostName().replaceAll("[^a-zA-Z0-9._-]", "-") + "-"
                + ProcessHandle.current().pid();
    }

    private static String hostName() {
        String named = System.getenv("HOSTNAME");
        if (named != null && !named.isBlank()) {
            return named;
        }
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
