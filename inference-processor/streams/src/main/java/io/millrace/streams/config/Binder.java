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
import java.util.function.Function;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Nodes to values, by the descriptions of {@link ConfigKeys}; goes on after an error, so that all are found. */
final class Binder {
    private static final String STANDARD_TAGS = "tag:yaml.org,2002:";
    private static final int MAX_SHOWN = 60;
    private static final String HIDDEN = "(not shown)";

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

    /** One that is no mapping has no sound key. */
    private Values section(String name, Section section, Node node) {
        Values values = new Values(section, Place.of(node));
        Optional<List<Entry>> entries = entries(name, String.join(", ", section.names()), node, show(node));
        if (entries.isEmpty()) {
            section.names().forEach(values::markWrong);
        }
        for (Entry entry : entries.orElse(List.of())) {
            Optional<Key> key = section.find(entry.name);
            if (key.isEmpty()) {
                problems.error(entry.place, unknown(section, entry.name));
                Suggestion.nearest(section.names(), entry.name).ifPresent(values::markWrong);
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
            case Scalar scalar -> typed(key.name(), scalar.type(), node);
            case Section section -> Optional.of(section(key.name(), section, node));
            case NamedSections named -> namedSections(key.name(), named, node);
            case Properties properties -> properties(key.name(), node);
            case Key.NamedValues named -> namedValues(key.name(), named, node);
            case Key.Json json -> json(key.name(), node);
        };
    }

    private Optional<Values.Entries> namedSections(String name, NamedSections shape, Node node) {
        String expected = shape.nameOf() + " to a mapping of "
                + String.join(", ", shape.section().names());
        return collect(entries(name, expected, node, show(node)), entry -> {
            Values values = isAbsent(entry.value)
                    ? new Values(shape.section(), entry.place)
                    : section(entry.name, shape.section(), entry.value);
            return Optional.of(values);
        });
    }

    private Optional<Values.Entries> properties(String name, Node node) {
        return collect(
                entries(name, "property names", node, show(node)),
                entry -> isAbsent(entry.value) ? Optional.empty() : scalar(entry.name, "", entry.value));
    }

    private Optional<Values.Entries> namedValues(String name, Key.NamedValues shape, Node node) {
        String shown = shape.type() instanceof ValueType.SecretPlace ? HIDDEN : show(node);
        String expected = shape.nameOf() + " to " + shape.type().expected();
        return collect(
                entries(name, expected, node, shown),
                entry -> isAbsent(entry.value) ? Optional.empty() : typed(entry.name, shape.type(), entry.value));
    }

    private static Optional<Values.Entries> collect(
            Optional<List<Entry>> entries, Function<Entry, Optional<? extends Object>> value) {
        return entries.map(all -> {
            var collected = new Values.Entries();
            all.forEach(entry -> value.apply(entry).ifPresent(each -> collected.put(entry.name, each, entry.place)));
            return collected;
        });
    }

    private Optional<Values.JsonTree> json(String name, Node node) {
        return entries(name, "names to anything", node, show(node)).map(entries -> {
            Map<String, Object> members = new LinkedHashMap<>();
            Map<String, Place> places = new HashMap<>();
            for (Entry entry : entries) {
                members.put(entry.name, jsonValues.of(entry.value));
                places.put(entry.name, entry.place);
            }
            return new Values.JsonTree(members, places);
        });
    }

    /** A key of the file, and what stands behind it. */
    private record Entry(String name, Place place, Node value) {}

    /** Empty where it is no mapping, which is then told. */
    private Optional<List<Entry>> entries(String name, String expected, Node node, String shown) {
        if (!(node instanceof MappingNode mapping)) {
            problems.error(Place.of(node), name + "=" + shown + ", expected=a mapping of " + expected);
            return Optional.empty();
        }
        Map<String, Place> seen = new HashMap<>();
        return Optional.of(mapping.getValue().stream()
                .flatMap(tuple -> entry(tuple, seen).stream())
                .toList());
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

    private Optional<Object> typed(String name, ValueType type, Node node) {
        return scalar(name, ": " + type.expected(), node).flatMap(text -> parse(name, type, text, node));
    }

    /** @param which value is expected, for messages */
    private Optional<String> scalar(String name, String which, Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            problems.error(Place.of(node), name + "=" + show(node) + ", expected=a single value" + which);
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
            String shown = e.isSecret() ? HIDDEN : shorten(text);
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
