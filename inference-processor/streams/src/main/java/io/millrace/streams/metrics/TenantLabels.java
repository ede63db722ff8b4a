package io.millrace.streams.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Tenants as label values, at most so many: prompts name their tenants themselves, and each new value makes time series that stay.
 *
 * <p>Threads: any; two that come at once may both get the last place, so the bound can be passed by the number of threads.
 */
final class TenantLabels {
    /** Of prompts without a tenant. */
    static final String NONE = "none";

    /** Of tenants that came after the bound was reached. */
    static final String OTHER = "other";

    private static final int MAX_LENGTH = 100;

    private final int max;
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    TenantLabels(int max) {
        this.max = max;
    }

    String of(@Nullable String tenant) {
        if (tenant == null || tenant.isEmpty()) {
            return NONE;
        }
        if (known.contains(tenant)) {
            return tenant;
        }
        if (known.size() >= max || tenant.length() > MAX_LENGTH) {
            return OTHER;
        }
        known.add(tenant);
        return tenant;
    }
}
