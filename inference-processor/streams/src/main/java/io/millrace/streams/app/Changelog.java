package io.millrace.streams.app;

import java.util.Map;
import java.util.function.IntFunction;

/**
 * The changelog of a store. Kafka Streams would create it at the first start, with its settings as they are then; we create it
 * before, and hold its settings to these later too.
 *
 * @param name as Kafka Streams names it: {@code <application.id>-<store>-changelog}
 * @param settings the topic's settings, by the largest record that it must take, bytes
 */
record Changelog(String name, IntFunction<Map<String, String>> settings) {}
