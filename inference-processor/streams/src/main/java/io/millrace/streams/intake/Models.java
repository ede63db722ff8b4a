package io.millrace.streams.intake;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The models served here, by the names that prompts use. Immutable. */
public final class Models {

    private final Map<String, ServedModel> byName;
    private final String defaultName;

    /** @param defaultName the model of prompts that name none; it must be one of them */
    public Models(Map<String, ServedModel> byName, String defaultName) {
        this.byName = new TreeMap<>(byName);
        this.defaultName = defaultName;
        if (!byName.containsKey(defaultName)) {
            throw new IllegalArgumentException("default_model=" + defaultName + ", expected=" + knownNames());
        }
    }

    /** The name that a prompt without one means. */
    public String nameOrDefault(@Nullable String name) {
        return name == null ? defaultName : name;
    }

    /** The model of that name. */
    public Optional<ServedModel> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** For messages: {@code one of a, b}. */
    public String knownNames() {
        return "one of " + String.join(", ", byName.keySet());
    }

    /** All of them, by name. */
    public Map<String, ServedModel> all() {
        return Map.copyOf(byName);
    }

    /** All engines. */
    public Collection<ServedModel> values() {
        return byName.values();
    }
}
