package io.millrace.llm.backend;

/**
 * Where a layer's keys and values are.
 *
 * @param layer layer of the cache, from 0
 * @param group KV group whose block table it follows, from 0
 */
public record KvSlot(int layer, int group) {}
