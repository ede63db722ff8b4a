package io.millrace.streams.testing;

/** Models whose every key has another value than its default. */
public final class EngineYaml {

    /** All but {@code signal}, which excludes {@code query}. Both secrets are where there is something in each environment. */
    public static final String REMOTE = """
            models:
              big:
                engine: remote
                version: "3"
                max_model_len: 8192
                max_num_seqs: 100
                max_waiting: 77
                default_max_tokens: 99
                remote:
                  protocol: open-inference
                  model: org/big
                  endpoints:
                    a: { url: "https://gpu-1:8000/v1", max_in_flight: 64, max_tokens_in_flight: 200000, metrics_url: "http://gpu-1:8002/metrics" }
                    b: { url: "http://gpu-2" }
                  choice: prefix_affinity
                  api_key: env:PATH
                  headers: { X-Team: "${MILLRACE_TEST_TEAM:-search}" }
                  secret_headers: { X-Key: "env:PATH" }
                  extra_body: { top_k: 40, stop_token_ids: [1, 2], chat_template_kwargs: { enable_thinking: false, who: "${MILLRACE_TEST_TEAM:-search}" }, none: null }
                  tls: { ca_file: /etc/ca.pem, certificate_file: me.pem, key_file: me.key }
                  proxy: "http://proxy:3128"
                  http_version: 2
                  connect_timeout: 1s
                  read_timeout: 2s
                  total_timeout: 3s
                  max_response_bytes: 1MiB
                  retries: { max_attempts: 5, budget: 0.1, first_backoff: 10ms, longest_backoff: 1s }
                  breaker: { failure_rate: 0.25, window: 8, open_time: 4s }
                  method: infer
                  tensors: { input: in, output: out, batched: true }
                  slack: { url: "http://prometheus:9090", query: "max(waiting)", interval: 2s, max_age: 6s, curve: "0:1, 4:0.5" }
            """;

    public static final String ECHO = """
            models:
              mirror:
                engine: echo
                version: "4"
                max_model_len: 4096
                max_num_seqs: 50
                max_waiting: 70
                default_max_tokens: 90
                echo: { delay: 10ms, tokens_per_second: 100 }
            """;

    private EngineYaml() {}
}
