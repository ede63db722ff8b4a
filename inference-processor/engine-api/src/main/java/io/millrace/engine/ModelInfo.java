package io.millrace.engine;

import java.util.Optional;

/**
 * Identity of a served model.
 *
 * @param name the name requests use
 * @param version as configured or as a remote server reports it
 * @param digest {@code sha256:<hex>} of the weights file, where there is one
 * @param maxModelLen most tokens of prompt and answer together
 */
public record ModelInfo(String name, Optional<String> version, Optional<String> digest, int maxModelLen) {}
