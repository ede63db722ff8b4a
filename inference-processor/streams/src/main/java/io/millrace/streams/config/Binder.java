package io.millrace.streams.config;

import io.millrace.streams.config.Key.NamedSections;
import io.millrace.streams.config.Key.Properties;
import io.millrace.streams.config.Key.Scalar;
import io.millrace.streams.config.Key.Section;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Nodes to values, by the descriptions of {@link ConfigKeys}; goes on after an error, so that all are found. */
final class Binder {
    private static final String STANDARD_TAGS = "tag:yaml.org,2002:";
    private static final int MAX_SHOWN = 60;

    private final Problems problems;
    private final EnvironmentVariables environment;
    private final JsonValues jsonValues;

    Binder(Problems problems, Map<String, String> environment) {
        this.problems = problems;
        this.environment = new EnvironmentVariables(environment);
        this.jsonValues = new JsonValues(problems, this.environment);
    }

    Values bind(Node root) {
        return isAbsent(root) ? new Values(ConfigKeys.ROOT) : section("the file", ConfigKeys.ROOT, root);
    }

    private Values section(String name, Section section, Node node) {
        Values values = new Values(section, Place.of(node));
        for (Entry entry : entries(name, section.names(), node)) {
            Optional<Key> key = section.find(entry.name);
            if (key.isEmpty()) {
                problems.error(entry.place, unknown(section, entry.name));
            } else if (!isAbsent(entry.value)) {
                bind(key.get(), entry.value)
                        .ifPresentOrElse(
                                value -> values.put(entry.name, value, Place.of(entry.value)),
                                () -> values.markWrong(entry.name));
            }
        }
        return values;
    }

    private Optional<? extends Object> bind(Key key, Node node) {
        return switch (key.shape()) {
            case Scalar scalar ->
                scalar(key.name(), node).flatMap(text -> parse(key.name(), scalar.type(), text, node));
            case Section section -> Optional.of(section(key.name(), section, node));
            case NamedSections named -> Optional.of(namedSections(key.name(), named, node));
            case Properties properties -> Optional.of(properties(key.name(), node));
            case Key.NamedValues named -> Optional.of(namedValues(key.name(), named, node));
            case Key.Json json -> json(key.name(), node);
        };
    }

    private Values.Entries namedSections(String name, NamedSections shape, Node node) {
        Values.Entries sections = new Values.Entries();
        for (Entry entry : entries(name, List.of(shape.nameOf()), node)) {
            Values values = isAbsent(entry.value)
                    ? new Values(shape.section(), entry.place)
                    : section(entry.name, shape.section(), entry.value);
            sections.put(entry.name, values, entry.place);
        }
        return sections;
    }

    private Values.Entries properties(String name, Node node) {
        Values.Entries properties = new Values.Entries();
        for (Entry entry : entries(name, List.of("property names"), node)) {
            if (!isAbsent(entry.value)) {
                scalar(entry.name, entry.value).ifPresent(text -> properties.put(entry.name, text, entry.place));
            }
        }
        return properties;
    }

    private Values.Entries namedValues(String name, Key.NamedValues shape, Node node) {
        Values.Entries named = new Values.Entries();
        for (Entry entry : entries(name, List.of(shape.nameOf()), node)) {
            scalar(entry.name, entry.value)
                    .flatMap(text -> parse(entry.name, shape.type(), text, entry.value))
                    .ifPresent(value -> named.put(entry.name, value, entry.place));
        }
        return named;
    }

    private Optional<Values.JsonTree> json(String name, Node node) {
        Map<String, Object> members = new LinkedHashMap<>();
        for (Entry entry : entries(name, List.of("names to anything"), node)) {
            members.put(entry.name, jsonValues.of(entry.value));
        }
        return Optional.of(new Values.JsonTree(members));
    }

    /** A key of the file, and what stands behind it. */
    private record Entry(String name, Place place, Node value) {}

    private List<Entry> entries(String name, List<String> expected, Node node) {
        if (!(node instanceof MappingNode mapping)) {
            problems.error(
                    Place.of(node), name + "=" + show(node) + ", expected=a mapping of " + String.join(", ", expected));
            return List.of();
        }
        Map<String, Place> seen = new HashMap<>();
        return mapping.getValue().stream()
                .flatMap(tuple -> entry(tuple, seen).stream())
                .toList();
    }

    private Optional<Entry> entry(NodeTuple tuple, Map<String, Place> seen) {
        Place place = Place.of(tuple.getKeyNode());
        if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
            problems.error(place, "key=" + show(tuple.getKeyNode()) + ", expected=a word");
            return Optional.empty();
        }
        Place first = seen.putIfAbsent(key.getValue(), place);
        if (first != null) {
            problems.error(place, "duplicate key '" + key.getValue() + "', first in line " + first.line());
            return Optional.empty();
        }
        return Optional.of(new Entry(key.getValue(), place, tuple.getValueNode()));
    }

    private Optional<String> scalar(String name, Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            problems.error(Place.of(node), name + "=" + show(node) + ", expected=a single value");
            return Optional.empty();
        }
        if (!isStandard(node.getTag())) {
            problems.error(Place.of(node), name + "=" + node.getTag().getValue() + " …, expected=no tag");
            return Optional.empty();
        }
        try {
            return Optional.of(environment.resolve(scalar.getValue()));
        } catch (EnvironmentVariables.NotSet e) {
            problems.error(Place.of(node), name + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    /** The last one is put by the parser itself, on a plain scalar that is one reference to a variable. */
    private static boolean isStandard(Tag tag) {
        return tag.getValue().startsWith(STANDARD_TAGS) || tag.equals(Tag.ENV_TAG);
    }

    private Optional<Object> parse(String name, ValueType type, String text, Node node) {
        try {
            return Optional.of(type.parse(text));
        } catch (ValueType.NotOfType e) {
            String shown = e.isSecret() ? "(not shown)" : shorten(text);
            problems.error(Place.of(node), name + "=" + shown + ", expected=" + e.getMessage());
            return Optional.empty();
        }
    }

    private static String unknown(Section section, String name) {
        String what = "unknown key '" + shorten(name) + "'";
        if (name.equals("<<")) {
            return what + ", merge keys are not supported: write the keys out";
        }
        Optional<String> elsewhere = ConfigKeys.sectionOf(name);
        if (elsewhere.isPresent()) {
            return what + " here, it belongs under '" + elsewhere.get() + "'";
        }
        String suggestion = Suggestion.among(section.names(), name);
        return what + (suggestion.isEmpty() ? ", expected=one of " + String.join(", ", section.names()) : suggestion);
    }

    /** A key with nothing behind it, as is left when what stood there is commented out, is as good as no key. */
    private static boolean isAbsent(Node node) {
        return node instanceof ScalarNode scalar
                && scalar.isPlain()
                && (scalar.getValue().isEmpty()
                        || scalar.getValue().equals("null")
                        || scalar.getValue().equals("~"));
    }

    private static String show(Node node) {
        return switch (node) {
            case ScalarNode scalar -> shorten(scalar.getValue());
            case MappingNode mapping -> "a mapping of " + mapping.getValue().size();
            default -> "a list";
        };
    }

    private static String shorten(String text) {
        String line = text.replaceAll("\\R", " ");
        return line.length() <= MAX_SHOWN ? line : line.substring(0, MAX_SHOWN) + "…";
    }
}
