package io.millrace.streams.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.schemas.ControlAction;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.records.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrometheusMetricsTest {
    private final PrometheusMetrics metrics = new PrometheusMetrics(List.of("m"), 2);

    @AfterEach
    void close() {
        metrics.close();
    }

    @Test
    void shouldHaveTheNamesThatAreDocumented() {
        metrics.watch(() -> status(Set.of()));
        metrics.settled(answered("m", "t"));
        metrics.settled(failed("m", "t", "ENGINE_ERROR"));
        metrics.settled(deadLetter());
        metrics.admitted();
        metrics.recovered(3);
        metrics.quarantined();
        metrics.struck();
        metrics.orphaned(4);
        metrics.adopted("m", 17);
        metrics.orphanExpired();
        metrics.rejected("m");
        metrics.gateClosed(new Closure(Closure.Reason.REGISTRY, ""));
        metrics.committed(Duration.ofMillis(3).toNanos());
        metrics.threadReplaced();

        assertThat(samples())
                .containsEntry("millrace_num_requests_running{model_name=\"m\"}", 3.0)
                .containsEntry("millrace_num_requests_waiting{model_name=\"m\"}", 4.0)
                .containsEntry("millrace_kv_cache_usage_perc{model_name=\"m\"}", 0.25)
                .containsEntry("millrace_num_preemptions_total{model_name=\"m\"}", 11.0)
                .containsEntry("millrace_engine_budget_shrinks_total{model_name=\"m\"}", 12.0)
                .containsEntry("millrace_engine_token_budget{model_name=\"m\"}", 13.0)
                .containsEntry("millrace_engine_healthy{model_name=\"m\"}", 1.0)
                .containsEntry("millrace_engine_steps_total{model_name=\"m\"}", 7.0)
                .containsEntry("millrace_engine_step_sequences_total{model_name=\"m\"}", 8.0)
                .containsEntry("millrace_engine_step_tokens_total{model_name=\"m\"}", 9.0)
                .containsEntry("millrace_engine_busy_seconds_total{model_name=\"m\"}", 2.5)
                .containsEntry("millrace_engine_prompt_tokens_total{model_name=\"m\"}", 5.0)
                .containsEntry("millrace_engine_generation_tokens_total{model_name=\"m\"}", 6.0)
                .containsEntry("millrace_prompt_tokens_total{model_name=\"m\",tenant=\"t\"}", 10.0)
                .containsEntry("millrace_generation_tokens_total{model_name=\"m\",tenant=\"t\"}", 5.0)
                .containsEntry(
                        "millrace_request_success_total{finished_reason=\"stop\",model_name=\"m\",tenant=\"t\"}", 1.0)
                .containsEntry(
                        "millrace_request_failure_total{code=\"ENGINE_ERROR\",model_name=\"m\",tenant=\"t\"}", 1.0)
                .containsEntry("millrace_time_to_first_token_seconds_sum{model_name=\"m\",tenant=\"t\"}", 0.3)
                .containsEntry("millrace_inter_token_latency_seconds_sum{model_name=\"m\",tenant=\"t\"}", 0.1)
                .containsEntry("millrace_e2e_request_latency_seconds_sum{model_name=\"m\",tenant=\"t\"}", 0.8)
                .containsEntry("millrace_request_queue_time_seconds_sum{model_name=\"m\",tenant=\"t\"}", 0.1)
                .containsEntry("millrace_dead_letters_total", 1.0)
                .containsEntry("millrace_prompts_admitted_total", 1.0)
                .containsEntry("millrace_prompts_recovered_total", 3.0)
                .containsEntry("millrace_prompts_quarantined_total", 1.0)
                .containsEntry("millrace_strikes_total", 1.0)
                .containsEntry("millrace_runs_orphaned_total", 4.0)
                .containsEntry("millrace_runs_adopted_total{model_name=\"m\"}", 1.0)
                .containsEntry("millrace_adopted_generation_tokens_total{model_name=\"m\"}", 17.0)
                .containsEntry("millrace_runs_expired_total", 1.0)
                .containsEntry("millrace_engine_rejections_total{model_name=\"m\"}", 1.0)
                .containsEntry("millrace_gate_closures_total{reason=\"REGISTRY\"}", 1.0)
                .containsEntry("millrace_commit_seconds_count", 1.0)
                .containsEntry("millrace_stream_threads_replaced_total", 1.0)
                .containsEntry("millrace_num_requests_pending", 12.0)
                .containsEntry("millrace_pending_bytes", 3400.0)
                .containsEntry("millrace_max_pending", 100.0)
                .containsKey("jvm_threads_live_threads")
                .containsKey("process_cpu_usage")
                .containsKey("process_files_open_files")
                .containsKey("process_uptime_seconds");
    }

    @Test
    void shouldFillHistogramsWithBucketsOfVllm() {
        metrics.settled(answered("m", "t"));

        assertThat(samples())
                .containsEntry(
                        "millrace_time_to_first_token_seconds_bucket{model_name=\"m\",tenant=\"t\",le=\"0.25\"}", 0.0)
                .containsEntry(
                        "millrace_time_to_first_token_seconds_bucket{model_name=\"m\",tenant=\"t\",le=\"0.5\"}", 1.0)
                .containsEntry(
                        "millrace_inter_token_latency_seconds_bucket{model_name=\"m\",tenant=\"t\",le=\"0.1\"}", 1.0)
                .containsEntry(
                        "millrace_e2e_request_latency_seconds_bucket{model_name=\"m\",tenant=\"t\",le=\"+Inf\"}", 1.0);
    }

    @Test
    void shouldNotTimeTokensThatNeverCame() {
        metrics.settled(failed("m", null, "INVALID_REQUEST"));

        assertThat(samples().keySet())
                .anyMatch(name -> name.startsWith("millrace_request_failure_total"))
                .noneMatch(name -> name.startsWith("millrace_time_to_first_token_seconds"))
                .noneMatch(name -> name.startsWith("millrace_prompt_tokens_total"));
    }

    @Test
    void shouldBoundTenantsAndModels() {
        for (int i = 0; i < 50; i++) {
            metrics.settled(failed("m" + i, "tenant-" + i, "MODEL_NOT_FOUND"));
        }
        metrics.settled(failed(null, null, "MODEL_NOT_FOUND"));
        metrics.settled(failed(null, "x".repeat(101), "MODEL_NOT_FOUND"));
        metrics.rejected("nobody's");

        String failure =
                "millrace_request_failure_total{code=\"MODEL_NOT_FOUND\",model_name=\"unknown\",tenant=\"%s\"}";
        assertThat(samples())
                .containsEntry(failure.formatted("tenant-0"), 1.0)
                .containsEntry(failure.formatted("tenant-1"), 1.0)
                .containsEntry(failure.formatted("other"), 49.0)
                .containsEntry(failure.formatted("none"), 1.0)
                .containsEntry("millrace_engine_rejections_total{model_name=\"unknown\"}", 1.0);
        assertThat(samples().keySet().stream().filter(name -> name.startsWith("millrace_request_failure_total")))
                .hasSize(4);
    }

    @Test
    void shouldSayWhyTheGateIsClosed() {
        metrics.watch(() -> status(Set.of(new Closure(Closure.Reason.ENGINE, "m"))));

        assertThat(samples())
                .containsEntry("millrace_gate_open", 0.0)
                .containsEntry("millrace_ready", 0.0)
                .containsEntry("millrace_gate_closed{reason=\"ENGINE\"}", 1.0)
                .containsEntry("millrace_gate_closed{reason=\"REGISTRY\"}", 0.0)
                .containsEntry("millrace_gate_closed{reason=\"FULL\"}", 0.0)
                .containsEntry("millrace_gate_closed{reason=\"PAUSED\"}", 0.0)
                .containsEntry("millrace_num_requests_paused", 5.0);
    }

    @Test
    void shouldCountCommandsByTheirAction() {
        metrics.commandApplied(ControlAction.CANCEL);
        metrics.commandApplied(ControlAction.CANCEL);
        metrics.commandApplied(ControlAction.RESUME);
        metrics.commandSkipped();

        assertThat(samples())
                .containsEntry("millrace_control_commands_total{action=\"CANCEL\"}", 2.0)
                .containsEntry("millrace_control_commands_total{action=\"RESUME\"}", 1.0)
                .containsEntry("millrace_control_skipped_total", 1.0);
    }

    @Test
    void shouldReadOneSnapshotForAScrape() {
        AtomicInteger reads = new AtomicInteger();
        metrics.watch(() -> {
            reads.incrementAndGet();
            return status(Set.of());
        });

        metrics.scrape();

        // slow machines may take longer than one snapshot lives, but each gauge asking for its own would be 20 and more
        assertThat(reads.get()).isBetween(1, 5);
    }

    private static Outcome answered(String model, String tenant) {
        long ms = 1_000_000;
        return new Outcome(
                List.of(),
                "stop",
                model,
                tenant,
                Optional.of(new Completion.Timings(100 * ms, 200 * ms, 400 * ms, 300 * ms, 800 * ms)),
                Optional.of(new Completion.Usage(10, 0, 5)));
    }

    private static Outcome failed(@Nullable String model, @Nullable String tenant, String code) {
        return new Outcome(List.of(), code, model, tenant, Optional.empty(), Optional.empty());
    }

    private static Outcome deadLetter() {
        return new Outcome(List.of(), Outcome.DEAD_LETTER, null, null, Optional.empty(), Optional.empty());
    }

    private static ProcessorStatus status(Set<Closure> closures) {
        return new ProcessorStatus(
                ProcessorStatus.State.RUNNING,
                closures,
                12,
                3400,
                5,
                new GateLimits(100, 50, 10_000),
                Map.of("m", new EngineStats(true, 3, 4, 0.25, 5, 6, 7, 8, 9, 2_500_000_000L, 11, 12, 13)));
    }

    /** Name with labels to value, of a text in Prometheus' format. */
    private Map<String, Double> samples() {
        Map<String, Double> samples = new TreeMap<>();
        metrics.scrape().lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            int space = line.lastIndexOf(' ');
            samples.put(
                    line.substring(0, space),
                    Double.parseDouble(line.substring(space + 1).replace("+Inf", "Infinity")));
        });
        return samples;
    }
}
