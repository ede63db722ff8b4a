package io.millrace.streams.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Nodes to what JSON has: maps by text, lists, texts, numbers, booleans and null. */
final class JsonValues {

    /** A mapping may contain itself, by an alias. */
    private static final int MAX_DEPTH = 16;

    /** Aliases make many values of a short text. */
    private static final int MAX_VALUES = 10_000;

    private final Problems problems;
    private final EnvironmentVariables environment;
    private int depth;
    private int values;

    JsonValues(Problems problems, EnvironmentVariables environment) {
        this.problems = problems;
        this.environment = environment;
    }

    /** What a node means; null also where that is among the problems. */
    @Nullable
    Object of(Node node) {
        depth = 0;
        values = 0;
        return value(node);
    }

    private @Nullable Object value(Node node) {
        if (depth > MAX_DEPTH || values > MAX_VALUES) {
            return null; // which has been told
        }
        if (++depth > MAX_DEPTH) {
            return wrong(node, "depth=more than " + MAX_DEPTH, MAX_DEPTH + " levels or fewer");
        }
        if (++values > MAX_VALUES) {
            return wrong(node, "values=more than " + MAX_VALUES, MAX_VALUES + " or fewer");
        }
        Object value = plain(node);
        depth = depth > MAX_DEPTH ? depth : depth - 1; // too deep once is too deep for good
        return value;
    }

    private @Nullable Object plain(Node node) {
        return switch (node) {
            case MappingNode mapping -> map(mapping);
            case SequenceNode sequence -> list(sequence);
            case ScalarNode scalar -> scalar(scalar);
            default -> wrong(node, "value=" + node.getNodeType(), "what JSON has");
        };
    }

    private Map<String, @Nullable Object> map(MappingNode mapping) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (tuple.getKeyNode() instanceof ScalarNode key) {
                map.put(key.getValue(), value(tuple.getValueNode()));
            } else {
                wrong(tuple.getKeyNode(), "key=a list or a mapping", "a word");
            }
        }
        return map;
    }

    private List<@Nullable Object> list(SequenceNode sequence) {
        List<@Nullable Object> list = new ArrayList<>();
        sequence.getValue().forEach(element -> list.add(value(element)));
        return list;
    }

    private @Nullable Object scalar(ScalarNode scalar) {
        String text = scalar.getValue();
        Tag tag = scalar.getTag();
        if (tag.equals(Tag.NULL)) {
            return null;
        }
        try {
            if (tag.equals(Tag.BOOL)) {
                return Boolean.valueOf(text);
            }
            if (tag.equals(Tag.INT)) {
                return new BigInteger(text);
            }
            return tag.equals(Tag.FLOAT) ? (Object) new BigDecimal(text) : environment.resolve(text);
        } catch (NumberFormatException e) {
            return wrong(scalar, "value=" + text, "a number that JSON has");
        } catch (EnvironmentVariables.NotSet e) {
            problems.error(Place.of(scalar), String.valueOf(e.getMessage()));
            return null;
        }
    }

    private @Nullable Object wrong(Node node, String what, String expected) {
        problems.error(Place.of(node), what + ", expected=" + expected);
        return null;
    }
}
