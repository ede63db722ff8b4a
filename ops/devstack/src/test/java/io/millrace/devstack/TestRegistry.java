package io.millrace.devstack;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * Where tests find the real registry's files: the user's cache, as {@code millrace dev} does. They are fetched if
 * {@code -Dmillrace.registry.fetch=true}, as {@code make test-registry} says.
 */
public final class TestRegistry {

    private static final String FETCH = "millrace.registry.fetch";
    private static final String MISSING =
            "the schema registry's files are not on this machine; 'make test-registry' fetches them ("
                    + RegistryDistribution.MEGABYTES + " MB)";

    private TestRegistry() {}

    /** The distribution's folder. */
    public static Path distribution() throws InterruptedException {
        return Boolean.getBoolean(FETCH)
                ? RegistryDistribution.fetch(home(), RegistryDistribution.Reach.NETWORK)
                : RegistryDistribution.find(home()).orElseThrow(() -> new IllegalStateException(MISSING));
    }

    /** Why there is none. */
    static Optional<String> obstacle() {
        return Boolean.getBoolean(FETCH) || RegistryDistribution.find(home()).isPresent()
                ? Optional.empty()
                : Optional.of(MISSING);
    }

    /** As the model store has it. */
    private static Path home() {
        String named = Objects.requireNonNullElse(System.getenv("MILLRACE_HOME"), "");
        return named.isBlank() ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(named);
    }
}
