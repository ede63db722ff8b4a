package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import io.millrace.llm.scheduler.ImportsWhatASchedulerMustNot;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The layout's rules (ops/adr and each package-info name them in words): who may use whom. */
class ArchitectureTest {
    private static final String LOG = "org.slf4j..";
    private static final String JSON = "com.fasterxml.jackson..";
    private static final String KAFKA_CLIENTS = "org.apache.kafka.clients..";
    private static final String KAFKA_COMMON = "org.apache.kafka.common..";
    private static final String KAFKA_STREAMS = "org.apache.kafka.streams..";
    private static final String AVRO = "org.apache.avro..";

    private static final String ENGINE_API = "io.millrace.engine";
    private static final String SCHEMAS = "io.millrace.schemas..";
    private static final String GGUF = "io.millrace.llm.gguf";
    private static final String TOKENIZER = "io.millrace.llm.tokenizer";
    private static final String TEMPLATES = "io.millrace.llm.tokenizer.jinja";
    private static final String KVCACHE = "io.millrace.llm.kvcache";
    private static final String SAMPLER = "io.millrace.llm.sampler";
    private static final String BACKEND = "io.millrace.llm.backend";

    private static final Dependencies TABLE = Dependencies.everywhere("java..", "javax..", "org.jspecify.annotations")
            // what all three parts share
            .may("io.millrace.schemas", AVRO)
            .may("io.millrace.schemas.serde", "io.millrace.schemas", AVRO, JSON, KAFKA_COMMON, LOG)
            // producing
            .may("io.millrace.ingest..", "io.millrace.ingest..", SCHEMAS, AVRO, JSON, KAFKA_CLIENTS, KAFKA_COMMON, LOG)
            // the engine SPI: the JDK only
            .may(ENGINE_API)
            // our engine, from files to steps; only its runtime knows the SPI's requests, and nothing in it knows Kafka
            .may(GGUF)
            .may(TOKENIZER, GGUF, ENGINE_API, TEMPLATES, LOG)
            .may(TEMPLATES)
            .may(KVCACHE)
            .may("io.millrace.llm.scheduler", KVCACHE)
            .may(SAMPLER, ENGINE_API)
            .may(BACKEND, GGUF, SAMPLER, "io.millrace.llm.backend..", LOG)
            .may("io.millrace.llm.backend.reference", BACKEND, GGUF, SAMPLER)
            .may("io.millrace.llm.backend.cpu", BACKEND, GGUF, SAMPLER, "jdk.incubator.vector", LOG)
            .may("io.millrace.llm.model", BACKEND, GGUF, SAMPLER, LOG)
            .may(
                    "io.millrace.llm.runtime",
                    ENGINE_API,
                    GGUF,
                    TOKENIZER,
                    TEMPLATES,
                    KVCACHE,
                    SAMPLER,
                    BACKEND,
                    "io.millrace.llm.scheduler",
                    "io.millrace.llm.model",
                    LOG)
            .may("io.millrace.modelstore", JSON, LOG)
            // an engine without a model
            .may("io.millrace.echo", ENGINE_API, LOG)
            // engines behind HTTP: formats apart from network and threads
            .may("io.millrace.remote.protocol", ENGINE_API, JSON)
            .may(
                    "io.millrace.remote",
                    ENGINE_API,
                    "io.millrace.remote.protocol",
                    JSON,
                    "com.netflix.concurrency.limits..",
                    "io.github.resilience4j..",
                    "io.micrometer..",
                    LOG)
            // the topology: of engines it knows the SPI alone
            .may(
                    "io.millrace.streams..",
                    "io.millrace.streams..",
                    ENGINE_API,
                    SCHEMAS,
                    AVRO,
                    JSON,
                    KAFKA_CLIENTS,
                    KAFKA_COMMON,
                    KAFKA_STREAMS,
                    "io.micrometer..",
                    LOG)
            .may(
                    "io.millrace.streams.config",
                    ENGINE_API,
                    "io.millrace.modelstore",
                    "org.snakeyaml.engine..",
                    JSON,
                    KAFKA_CLIENTS,
                    KAFKA_COMMON,
                    KAFKA_STREAMS,
                    LOG)
            .may(
                    "io.millrace.streams.http",
                    "io.millrace.streams..",
                    ENGINE_API,
                    "com.sun.net.httpserver",
                    "io.micrometer..",
                    JSON,
                    LOG)
            // consuming
            .may("io.millrace.sinks..", "io.millrace.sinks..", SCHEMAS, AVRO, JSON, KAFKA_CLIENTS, KAFKA_COMMON, LOG)
            // operations
            .may("io.millrace.devstack", "kafka..", "org.apache.kafka..", LOG)
            .may("io.millrace.devstack.oracle", "io.millrace.devstack", SCHEMAS, AVRO, KAFKA_CLIENTS, KAFKA_COMMON)
            .may(
                    "io.millrace.bench..",
                    "io.millrace.bench..",
                    ENGINE_API,
                    GGUF,
                    TOKENIZER,
                    SAMPLER,
                    BACKEND,
                    "io.millrace.llm.backend.cpu", // whose counter shows that batching is real
                    "io.millrace.llm.model",
                    "io.millrace.llm.runtime",
                    "io.millrace.modelstore",
                    JSON,
                    "org.knowm.xchart..",
                    LOG)
            .may(
                    "io.millrace.bench.pipeline", // the processor and a broker, as someone who runs them has them
                    "io.millrace.bench",
                    ENGINE_API,
                    "io.millrace.remote",
                    SCHEMAS,
                    "io.millrace.streams..",
                    "io.millrace.devstack",
                    KAFKA_CLIENTS,
                    KAFKA_COMMON,
                    KAFKA_STREAMS,
                    "com.sun.management",
                    JSON,
                    LOG)
            .may(
                    "io.millrace.bench.chaos",
                    "io.millrace.devstack..",
                    "io.millrace.streams.app",
                    "io.millrace.streams.config",
                    SCHEMAS,
                    KAFKA_CLIENTS,
                    KAFKA_COMMON,
                    LOG)
            .may(
                    "io.millrace.cli..",
                    "io.millrace.cli..",
                    SCHEMAS,
                    "io.millrace.ingest..",
                    ENGINE_API,
                    GGUF,
                    TOKENIZER,
                    TEMPLATES,
                    SAMPLER,
                    BACKEND,
                    "io.millrace.llm.model",
                    "io.millrace.llm.runtime",
                    "io.millrace.echo",
                    "io.millrace.remote..",
                    "io.millrace.modelstore",
                    "io.millrace.streams..",
                    "io.millrace.sinks",
                    "io.millrace.devstack..",
                    "io.millrace.bench..",
                    AVRO,
                    JSON,
                    KAFKA_CLIENTS,
                    KAFKA_COMMON,
                    KAFKA_STREAMS,
                    "io.micrometer..",
                    "picocli..",
                    "com.sun.management",
                    "ch.qos.logback..",
                    "sun.misc",
                    LOG);

    @Test
    void shouldUseOnlyWhatTheTableAllows() {
        assertThat(TABLE.violations(productClasses())).isEmpty();
    }

    @Test
    void shouldSeeTheClassesOfEveryModule() {
        JavaClasses classes = productClasses();
        for (String module : List.of(
                "schemas",
                "ingest",
                "engine",
                "llm.runtime",
                "echo",
                "remote",
                "modelstore",
                "streams",
                "sinks",
                "devstack",
                "bench",
                "cli")) {
            assertThat(classes)
                    .as(module)
                    .anyMatch(each -> each.getPackageName().equals("io.millrace." + module));
        }
    }

    @Test
    void shouldFailOnAUseThatTheTableDoesNotAllow() {
        JavaClasses fixture = new ClassFileImporter().importClasses(ImportsWhatASchedulerMustNot.class);
        String name = ImportsWhatASchedulerMustNot.class.getName();
        assertThat(TABLE.violations(fixture))
                .containsExactly(
                        name + " uses io.millrace.llm.backend.StepRunner, "
                                + "expected=io.millrace.llm.scheduler uses only [io.millrace.llm.kvcache]",
                        name + " uses java.util.logging.Logger, expected=slf4j, not java.util.logging",
                        name + " uses org.apache.kafka.common.TopicPartition, "
                                + "expected=io.millrace.llm.scheduler uses only [io.millrace.llm.kvcache]");
    }

    @Test
    void shouldFailOnAPackageThatTheTableDoesNotName() {
        JavaClasses fixture = new ClassFileImporter().importClasses(ArchitectureTest.class);
        assertThat(TABLE.violations(fixture))
                .containsExactly("package=io.millrace.architecture, expected=a row in the table");
    }

    /** Names are all that the rules look at: reading the libraries' classes too would take most of a minute. */
    @BeforeAll
    static void readNoLibraries() {
        ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    }

    private static JavaClasses productClasses() {
        return new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ArchitectureTest::isNoTestJar)
                .importPackages("io.millrace");
    }

    private static boolean isNoTestJar(Location location) {
        return !location.contains("-tests.jar");
    }
}
