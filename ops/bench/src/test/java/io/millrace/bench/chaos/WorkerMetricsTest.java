package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class WorkerMetricsTest {

    @Test
    void shouldSumOverLabels() {
        assertThat(WorkerMetrics.parse("""
                # HELP millrace_ready 1 while prompts are taken.
                # TYPE millrace_ready gauge
                millrace_ready 1.0
                tokens_total{model_name="a b"} 3.0
                tokens_total{model_name="c"} 4.5E1
                used_bytes{area="heap",id="Tenured Gen"} 7.0
                used_bytes{area="heap",id="Eden Space"} 2.0
                used_bytes{area="nonheap",id="Metaspace"} 1.0
                """))
                .isEqualTo(Map.of(
                        "millrace_ready", 1.0,
                        "tokens_total", 48.0,
                        "used_bytes", 10.0,
                        "used_bytes{area=\"heap\"}", 9.0,
                        "used_bytes{area=\"nonheap\"}", 1.0));
    }

    @Test
    void shouldHearNothingFromWhoDoesNotAnswer() throws InterruptedException {
        assertThat(new WorkerMetrics().scrape(1)).isEmpty();
    }
}
