package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.devstack.ServerMetrics.Kind;
import io.millrace.devstack.ServerMetrics.Load;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ServerMetricsTest {

    private static final String LLAMA = """
            # TYPE llamacpp:requests_processing gauge
            llamacpp:requests_processing 3
            llamacpp:requests_deferred 1.2e+01
            llamacpp:prompt_tokens_total 40
            llamacpp:tokens_predicted_total 50
            """;

    @Test
    void shouldReadLlamaCpps() throws IOException {
        assertThat(ServerMetrics.kind(LLAMA)).isEqualTo(Kind.LLAMA_CPP);
        assertThat(ServerMetrics.load(LLAMA)).isEqualTo(new Load(3, 12, 40, 50));
    }

    @Test
    void shouldAddUpVllmsEngines() throws IOException {
        String vllm = """
                # HELP vllm:num_requests_running Number of requests in model execution batches.
                # TYPE vllm:num_requests_running gauge
                vllm:num_requests_running{engine="0",model_name="a model"} 4.0
                vllm:num_requests_running{engine="1",model_name="a model"} 5.0
                vllm:num_requests_waiting{engine="0",model_name="a model"} 1.0
                vllm:num_requests_waiting_by_reason{engine="0",model_name="a model",reason="capacity"} 1.0
                vllm:prompt_tokens_total{engine="0",model_name="a model"} 100.0
                vllm:prompt_tokens_created{engine="0",model_name="a model"} 1.7e+09
                vllm:generation_tokens_total{engine="0",model_name="a model"} 200.0
                """;

        assertThat(ServerMetrics.kind(vllm)).isEqualTo(Kind.VLLM);
        assertThat(ServerMetrics.load(vllm)).isEqualTo(new Load(9, 1, 100, 200));
    }

    @Test
    void shouldSayWhatIsMissing() {
        assertThatThrownBy(() -> ServerMetrics.load("up 1\n"))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "metrics without llamacpp:requests_processing and vllm:num_requests_running, expected=one of them");
        assertThatThrownBy(() -> ServerMetrics.load(LLAMA.replace("requests_deferred", "requests_other")))
                .isInstanceOf(IOException.class)
                .hasMessage("metric=llamacpp:requests_deferred, expected=one that the server shows");
    }
}
