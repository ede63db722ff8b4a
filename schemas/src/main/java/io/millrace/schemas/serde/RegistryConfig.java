package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/**
 * Confluent's configuration keys, checked. Keys of authentication and time-outs are also read with the prefix {@code schema.registry.}.
 *
 * @param mockScope the scope of {@code mock://scope}; empty for a registry that is reached by HTTP
 * @param endpoints where the registry is, in the order to try
 * @param headers sent with every request
 * @param ssl empty: the JVM's defaults
 * @param connectTimeout for one connection
 * @param readTimeout from sending a request to the answer's last byte
 * @param registration what a serializer does about its schema
 * @param normalize whether the registry compares schemas in normal form
 */
record RegistryConfig(
        Optional<String> mockScope,
        List<Endpoint> endpoints,
        Map<String, String> headers,
        Optional<SSLContext> ssl,
        Duration connectTimeout,
        Duration readTimeout,
        Registration registration,
        boolean normalize,
        SubjectNameStrategy subjectNameStrategy) {

    /** Comma-separated registry URLs, or {@code mock://scope}. */
    static final String URL = "schema.registry.url";

    private static final String PREFIX = "schema.registry.";
    private static final String MOCK = "mock://";
    private static final String AUTO_REGISTER = "auto.register.schemas";
    private static final String USE_LATEST = "use.latest.version";
    private static final String NORMALIZE = "normalize.schemas";
    private static final String STRATEGY = "value.subject.name.strategy";
    private static final String CONNECT_TIMEOUT_MS = "http.connect.timeout.ms";
    private static final String READ_TIMEOUT_MS = "http.read.timeout.ms";
    private static final String BASIC_SOURCE = "basic.auth.credentials.source";
    private static final String BASIC_USER_INFO = "basic.auth.user.info";
    private static final String BEARER_SOURCE = "bearer.auth.credentials.source";
    private static final String BEARER_TOKEN = "bearer.auth.token";

    /** Shorter than Confluent's minute: several URLs are tried in turn while a record waits. */
    private static final long DEFAULT_CONNECT_TIMEOUT_MS = 5_000;

    private static final long DEFAULT_READ_TIMEOUT_MS = 15_000;

    /**
     * One of the registry's URLs.
     *
     * @param base without user info and without a slash at the end; keeps its path
     * @param authorization value of the Authorization header
     */
    record Endpoint(URI base, Optional<String> authorization) {}

    /** What a serializer does about its schema. */
    enum Registration {
        /** Adds it to the subject. */
        AUTO,
        /** Expects it in the subject. */
        LOOK_UP,
        /** Writes with the subject's newest schema. */
        USE_LATEST
    }

    /**
     * Reads the configuration.
     *
     * @throws ConfigException naming key, value and what was expected
     */
    static RegistryConfig of(Map<String, ?> config) {
        String urls = text(config, URL).orElseThrow(() -> new ConfigException(URL + "=absent, expected=a URL"));
        return new RegistryConfig(
                mockScope(urls),
                isMock(urls) ? List.of() : endpoints(config, urls),
                headers(config),
                ssl(config),
                millis(config, CONNECT_TIMEOUT_MS, DEFAULT_CONNECT_TIMEOUT_MS),
                millis(config, READ_TIMEOUT_MS, DEFAULT_READ_TIMEOUT_MS),
                registration(config),
                truth(config, NORMALIZE, false),
                SubjectNameStrategy.of(STRATEGY, text(config, STRATEGY).orElse("TopicNameStrategy")));
    }

    /** A configuration value as text; lists are joined by commas; empty where it is not set or blank. */
    static Optional<String> text(Map<String, ?> config, String key) {
        Object value = config.get(key);
        String text = switch (value) {
            case null -> "";
            case Password password -> password.value();
            case Class<?> type -> type.getName();
            case Collection<?> list -> list.stream().map(String::valueOf).collect(Collectors.joining(","));
            default -> value.toString();
        };
        return text.isBlank() ? Optional.empty() : Optional.of(text.strip());
    }

    private static Optional<String> prefixable(Map<String, ?> config, String key) {
        return text(config, key).or(() -> text(config, PREFIX + key));
    }

    static boolean isMock(String urls) {
        return urls.startsWith(MOCK);
    }

    private static Optional<String> mockScope(String urls) {
        if (!isMock(urls)) {
            return Optional.empty();
        }
        String scope = urls.substring(MOCK.length());
        if (scope.isEmpty() || scope.contains(",")) {
            throw new ConfigException(URL + "=\"" + urls + "\", expected=one mock://scope");
        }
        return Optional.of(scope);
    }

    private static List<Endpoint> endpoints(Map<String, ?> config, String urls) {
        Optional<String> shared = sharedAuthorization(config);
        List<Endpoint> endpoints = new ArrayList<>();
        for (String url : urls.split(",", -1)) {
            URI uri = uri(url.strip());
            Optional<String> own = Optional.ofNullable(uri.getUserInfo()).map(RegistryConfig::basic);
            endpoints.add(new Endpoint(base(uri), shared.or(() -> own)));
        }
        return List.copyOf(endpoints);
    }

    private static URI uri(String url) {
        try {
            URI uri = URI.create(url);
            boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (isHttp && uri.getHost() != null && uri.getQuery() == null && uri.getFragment() == null) {
                return uri;
            }
        } catch (IllegalArgumentException notAUri) {
            throw wrongUrl(url);
        }
        throw wrongUrl(url);
    }

    private static ConfigException wrongUrl(String url) {
        String withoutSecret = url.replaceAll("//[^/@]*@", "//***@");
        return new ConfigException(
                URL + "=\"" + withoutSecret + "\", expected=http(s)://host[:port][/path], several separated by commas");
    }

    private static URI base(URI uri) {
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        String path = uri.getRawPath().replaceAll("/+$", "");
        return URI.create(uri.getScheme() + "://" + uri.getHost() + port + path);
    }

    /** Confluent's default source of credentials is the URL. */
    private static Optional<String> sharedAuthorization(Map<String, ?> config) {
        Optional<String> bearerSource = prefixable(config, BEARER_SOURCE);
        String basicSource = prefixable(config, BASIC_SOURCE).orElse("URL");
        if (bearerSource.isPresent()) {
            requireOneOf(BEARER_SOURCE, bearerSource.get(), List.of("STATIC_TOKEN"));
            return Optional.of("Bearer " + required(config, BEARER_TOKEN, BEARER_SOURCE + " is STATIC_TOKEN"));
        }
        requireOneOf(BASIC_SOURCE, basicSource, List.of("URL", "USER_INFO"));
        return basicSource.equals("URL")
                ? Optional.empty()
                : Optional.of(basic(required(config, BASIC_USER_INFO, BASIC_SOURCE + " is USER_INFO")));
    }

    private static String required(Map<String, ?> config, String key, String why) {
        return prefixable(config, key)
                .orElseThrow(() -> new ConfigException(key + "=absent, expected=a value, as " + why));
    }

    private static void requireOneOf(String key, String value, List<String> known) {
        if (!known.contains(value)) {
            throw new ConfigException(key + "=\"" + value + "\", expected=" + String.join(" or ", known));
        }
    }

    private static String basic(String userInfo) {
        return "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(UTF_8));
    }

    /** Confluent Cloud's routing headers. */
    private static Map<String, String> headers(Map<String, ?> config) {
        Map<String, String> headers = new HashMap<>();
        prefixable(config, "bearer.auth.logical.cluster").ifPresent(id -> headers.put("target-sr-cluster", id));
        prefixable(config, "bearer.auth.identity.pool.id")
                .ifPresent(id -> headers.put("Confluent-Identity-Pool-Id", id));
        return Map.copyOf(headers);
    }

    private static Registration registration(Map<String, ?> config) {
        boolean useLatest = truth(config, USE_LATEST, false);
        boolean autoRegister = truth(config, AUTO_REGISTER, !useLatest);
        if (useLatest && autoRegister) {
            throw new ConfigException(AUTO_REGISTER + "=true, expected=false, as " + USE_LATEST + " is true");
        }
        return useLatest ? Registration.USE_LATEST : autoRegister ? Registration.AUTO : Registration.LOOK_UP;
    }

    private static boolean truth(Map<String, ?> config, String key, boolean absent) {
        String value = text(config, key).orElse(String.valueOf(absent));
        requireOneOf(key, value, List.of("true", "false"));
        return Boolean.parseBoolean(value);
    }

    private static Duration millis(Map<String, ?> config, String key, long absent) {
        String value = prefixable(config, key).orElse(String.valueOf(absent));
        if (!value.matches("[1-9][0-9]{0,8}")) {
            throw new ConfigException(key + "=\"" + value + "\", expected=milliseconds, from 1 to 999999999");
        }
        return Duration.ofMillis(Long.parseLong(value));
    }

    /** Kafka's own reader of key and trust stores, so that JKS, PKCS12 and PEM work as they do for brokers. */
    private static Optional<SSLContext> ssl(Map<String, ?> config) {
        String prefix = PREFIX + "ssl.";
        Map<String, Object> own = new HashMap<>();
        config.forEach((key, value) -> {
            if (key.startsWith(prefix) && value != null) {
                own.put(key.substring(PREFIX.length()), value);
            }
        });
        if (own.isEmpty()) {
            return Optional.empty();
        }
        ConfigDef definition = new ConfigDef();
        SslConfigs.addClientSslSupport(definition);
        try (DefaultSslEngineFactory factory = new DefaultSslEngineFactory()) {
            factory.configure(definition.parse(own));
            return Optional.of(factory.sslContext());
        } catch (KafkaException e) {
            String reason = e.getCause() == null
                    ? e.getMessage()
                    : e.getMessage() + ": " + e.getCause().getMessage();
            throw new ConfigException(prefix + "*: " + reason);
        }
    }
}
