package io.millrace.streams.config;

import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/** Text to YAML nodes, within limits that no configuration meets and an attack would. */
final class YamlDocument {
    /** The deepest key lies four levels down. Checked on the event stream: the composer recurses. */
    private static final int MAX_DEPTH = 16;

    private static final int MAX_ALIASES = 50;

    private final Problems problems;
    private final LoadSettings settings;

    YamlDocument(Problems problems) {
        this.problems = problems;
        this.settings = LoadSettings.builder()
                .setLabel(problems.file())
                .setCodePointLimit(Math.toIntExact(ConfigReport.MAX_FILE_BYTES))
                .setMaxAliasesForCollections(MAX_ALIASES)
                .setAllowNonScalarKeys(true) // the binder says where they are
                .build();
    }

    /** The document's root; empty if the document is empty, or wrong, which is then among the problems. */
    Optional<Node> read(String yaml) {
        try {
            return isFlat(yaml) ? new Compose(settings).composeString(yaml) : Optional.empty();
        } catch (MarkedYamlEngineException e) {
            Place place =
                    e.getProblemMark().or(e::getContextMark).map(Place::of).orElse(Place.WHOLE_FILE);
            problems.error(
                    place, "not YAML: " + e.getProblem() + (e.getContext() == null ? "" : " (" + e.getContext() + ")"));
            return Optional.empty();
        } catch (YamlEngineException e) {
            problems.error(Place.WHOLE_FILE, "not YAML: " + e.getMessage());
            return Optional.empty();
        }
    }

    private boolean isFlat(String yaml) {
        int depth = 0;
        int documents = 0;
        for (Event event : new Parse(settings).parseString(yaml)) {
            switch (event.getEventId()) {
                case MappingStart, SequenceStart -> depth++;
                case MappingEnd, SequenceEnd -> depth--;
                case DocumentStart -> documents++;
                default -> {}
            }
            if (depth > MAX_DEPTH || documents > 1) {
                problems.error(
                        event.getStartMark().map(Place::of).orElse(Place.WHOLE_FILE),
                        depth > MAX_DEPTH
                                ? "nesting=more than " + MAX_DEPTH + " levels, expected=" + MAX_DEPTH + " or fewer"
                                : "documents=more than 1, expected=1 in a file");
                return false;
            }
        }
        return true;
    }
}
