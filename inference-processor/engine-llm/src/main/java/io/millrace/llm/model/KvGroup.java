package io.millrace.llm.model;

/**
 * Layers that share block tables, because they see the same positions. All layers of full attention are one group.
 *
 * @param layers number of layers in it
 */
public record KvGroup(int layers) {}
