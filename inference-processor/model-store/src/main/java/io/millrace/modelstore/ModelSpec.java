package io.millrace.modelstore;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * A model as a configuration names it.
 *
 * @param name the name requests use, at most {@value #MAX_NAME_LENGTH} characters
 * @param source where its file comes from
 * @param sha256 digest of the file, 64 hexadecimal digits; without it a remote file is taken as it first came, which is logged
 * @param sizeBytes size of the file; with it a wrong file is refused before it is downloaded
 */
public record ModelSpec(String name, ModelSource source, Optional<String> sha256, OptionalLong sizeBytes) {

    /** Bound on a name: it becomes a folder's name. */
    public static final int MAX_NAME_LENGTH = 120;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@+-]*");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    public ModelSpec {
        checkName(name);
        sha256 = sha256.map(digest -> digest.toLowerCase(Locale.ROOT));
        if (sha256.isPresent() && !SHA256.matcher(sha256.get()).matches()) {
            throw new IllegalArgumentException("sha256=" + sha256.get() + ", expected=64 hexadecimal digits");
        }
        if (sizeBytes.isPresent() && sizeBytes.getAsLong() < 1) {
            throw new IllegalArgumentException("size=" + sizeBytes.getAsLong() + ", expected=1 or more bytes");
        }
    }

    /** Throws {@link IllegalArgumentException} where no model can have this name. */
    public static void checkName(String name) {
        if (name.length() > MAX_NAME_LENGTH || !NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "model name=" + name + ", expected=letters, digits and . _ - : / @ +, at most " + MAX_NAME_LENGTH
                            + ", a letter or digit first");
        }
    }

    /** A file of this machine, with nothing known of it. */
    public static ModelSpec ofFile(String name, java.nio.file.Path file) {
        return new ModelSpec(name, new ModelSource.Local(file), Optional.empty(), OptionalLong.empty());
    }
}
