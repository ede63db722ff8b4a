package io.millrace.streams.config;

/**
 * Bounds of what {@code /metrics} shows.
 *
 * @param maxTenants most values of the label {@code tenant}; later tenants share one
 */
public record MetricsSettings(int maxTenants) {

    static MetricsSettings of(Values values) {
        return new MetricsSettings(values.integer("max_tenants"));
    }
}
