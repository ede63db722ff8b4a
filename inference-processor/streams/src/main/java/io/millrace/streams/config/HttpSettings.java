package io.millrace.streams.config;

/**
 * Where {@code /livez}, {@code /readyz} and {@code /metrics} are served.
 *
 * @param enabled whether they are
 * @param host address to listen on
 * @param port 0: any free one
 */
public record HttpSettings(boolean enabled, String host, int port) {

    static HttpSettings of(Values values) {
        return new HttpSettings(values.bool("enabled"), values.text("host"), values.integer("port"));
    }
}
