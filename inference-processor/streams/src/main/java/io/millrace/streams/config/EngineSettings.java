package io.millrace.streams.config;

/** What only one kind of engine has. */
public sealed interface EngineSettings permits LlmSettings, RemoteSettings, EchoSettings {

    /** The kind's name in the file. */
    String kind();
}
