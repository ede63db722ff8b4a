package io.millrace.devstack.oracle;

/**
 * The topics of one application.
 *
 * @param prompts where its input comes from
 * @param changelog of its pending store, {@code <application.id>-pending-changelog}
 */
public record OracleTopics(
        String prompts, String results, String failures, String metrics, String deadLetters, String changelog) {}
