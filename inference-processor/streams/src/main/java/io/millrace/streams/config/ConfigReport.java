package io.millrace.streams.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * All there is to say about a configuration file: what {@code config validate} shows.
 *
 * @param config empty if there are errors
 * @param problems errors and warnings in the file's order
 */
public record ConfigReport(Optional<MillraceConfig> config, List<Problem> problems) {

    /** Bound on a file: what is larger is no configuration. */
    public static final long MAX_FILE_BYTES = 1 << 20;

    public ConfigReport {
        problems = List.copyOf(problems);
    }

    /**
     * Reads a file.
     *
     * @param environment for {@code ${VARIABLE}} in values
     */
    public static ConfigReport ofFile(Path file, Map<String, String> environment) {
        String name = file.toString();
        try {
            if (Files.isDirectory(file)) {
                return unreadable(name, "is a folder, expected=a YAML file");
            }
            if (Files.size(file) > MAX_FILE_BYTES) {
                return unreadable(name, tooLarge(Files.size(file)));
            }
            return ofText(name, Files.readString(file), environment);
        } catch (NoSuchFileException e) {
            return unreadable(name, "no such file");
        } catch (CharacterCodingException e) {
            return unreadable(name, "is not UTF-8 text, expected=a YAML file");
        } catch (IOException e) {
            return unreadable(name, "cannot be read (" + e.getClass().getSimpleName() + ": " + e.getMessage() + ")");
        }
    }

    /** As {@link #ofFile}, for a text; {@code name} stands for the file in messages. */
    public static ConfigReport ofText(String name, String yaml, Map<String, String> environment) {
        if (yaml.length() > MAX_FILE_BYTES) {
            return unreadable(name, tooLarge(yaml.length()));
        }
        Problems problems = new Problems(name);
        Optional<Node> root = new YamlDocument(problems).read(yaml);
        if (problems.hasErrors()) {
            return new ConfigReport(Optional.empty(), problems.inOrder());
        }
        Values values = root.map(new Binder(problems, environment)::bind).orElseGet(() -> new Values(ConfigKeys.ROOT));
        MillraceConfig config = new ConfigAssembler(problems).assemble(values);
        return new ConfigReport(Optional.ofNullable(config), problems.inOrder());
    }

    /** The configuration, or all errors as one exception. */
    public MillraceConfig orThrow() throws ConfigException {
        if (config.isEmpty()) {
            throw new ConfigException(problems.stream()
                    .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                    .toList());
        }
        return config.get();
    }

    private static String tooLarge(long bytes) {
        return "size=" + bytes + ", expected=at most " + MAX_FILE_BYTES + " bytes";
    }

    private static ConfigReport unreadable(String name, String message) {
        return new ConfigReport(Optional.empty(), List.of(new Problem(Problem.Severity.ERROR, name, 0, 0, message)));
    }
}
