package io.millrace.remote;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.containing;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;
import static io.millrace.remote.TestEngine.completed;
import static io.millrace.remote.TestEngine.failed;
import static io.millrace.remote.TestEngine.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteOptions.Breaker;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each fault of a server becomes, over HTTP. */
class RemoteFaultsTest {

    private static final String ANSWER = """
            data: {"model":"served-1","choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}

            data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}

            data: [DONE]

            """;

    private static final WireMockServer SERVER =
            new WireMockServer(wireMockConfig().dynamicPort().bindAddress("127.0.0.1"));

    @BeforeAll
    static void start() {
        SERVER.start();
    }

    @AfterAll
    static void stop() {
        SERVER.stop();
    }

    @BeforeEach
    void forget() {
        SERVER.resetAll();
    }

    private URI url() {
        return URI.create(SERVER.baseUrl() + "/v1");
    }

    private static ResponseDefinitionBuilder ok() {
        return events(ANSWER);
    }

    private static ResponseDefinitionBuilder events(String body) {
        return aResponse().withHeader("Content-Type", "text/event-stream").withBody(body);
    }

    private static ResponseDefinitionBuilder error(int status, String message) {
        return aResponse()
                .withStatus(status)
                .withHeader("Content-Type", "application/json")
                .withBody("{\"error\":{\"message\":\"" + message + "\",\"code\":" + status + "}}");
    }

    /** These responses in turn; the last for good. */
    private void answers(ResponseDefinitionBuilder... responses) {
        for (int i = 0; i < responses.length; i++) {
            String state = i == 0 ? Scenario.STARTED : "after " + i;
            String next = i == responses.length - 1 ? state : "after " + (i + 1);
            SERVER.stubFor(post(anyUrl())
                    .inScenario("answers")
                    .whenScenarioStateIs(state)
                    .willReturn(responses[i])
                    .willSetStateTo(next));
        }
    }

    private int requests() {
        return SERVER.countRequestsMatching(postRequestedFor(anyUrl()).build()).getCount();
    }

    @Test
    void shouldAnswerAndSayWhoDid() {
        answers(ok());
        try (TestEngine engine = TestEngine.before(url())) {
            Completed completed = completed(engine.chat("hello"));

            assertThat(completed.endpoint()).contains("a");
            assertThat(completed.model().version()).contains("served-1");
            assertThat(completed.usage()).isEqualTo(new Completion.Usage(3, 0, 1));
            SERVER.verify(postRequestedFor(urlEqualTo("/v1/chat/completions")));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503, 502, 401, 403, 404, 405})
    void shouldKeepARequestWhileItsServerIsAway(int status) {
        answers(
                error(status, "not now"),
                error(status, "not now"),
                error(status, "not now"),
                error(status, "not now"),
                error(status, "not now"),
                ok());
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(requests()).as("more than max_attempts").isEqualTo(6);
        }
    }

    @Test
    void shouldKeepARequestWhileNothingIsBehindItsGateway() {
        ResponseDefinitionBuilder nobody =
                error(500, "litellm.InternalServerError: OpenAIException - Connection error.");
        answers(nobody, nobody, nobody, nobody, ok());
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(requests()).as("more than max_attempts").isEqualTo(5);
        }
    }

    @Test
    void shouldRejectWhileItsServerIsAwayAndSayWhy() {
        answers(error(503, "Loading model").withHeader("Retry-After", "600"));
        try (TestEngine engine = TestEngine.before(url())) {
            CompletableFuture<Completion> accepted = engine.chat("hello");
            await().until(() -> !engine.engine().stats().healthy());

            Optional<Rejection> rejection = engine.engine()
                    .submit(engine.request(Operation.CHAT, "x", SamplingParameters.DEFAULT, Optional.empty()), _ -> {});

            assertThat(rejection.map(Rejection::reason)).contains(Rejection.Reason.UNAVAILABLE);
            assertThat(rejection.orElseThrow().message())
                    .startsWith("endpoint a (" + url() + "): status=503: Loading model; tried again in ");
            assertThat(engine.engine().awaitsServer()).isTrue();
            assertThat(engine.engine().stats().waiting()).isEqualTo(1);
            assertThat(engine.engine().describe()).contains("away: endpoint a");
            assertThat(accepted).isNotDone();
        }
    }

    @Test
    void shouldHeedRetryAfter() {
        answers(error(429, "slow down").withHeader("Retry-After", "1"), ok());
        try (TestEngine engine = TestEngine.before(url())) {
            long start = System.nanoTime();
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        }
    }

    @ParameterizedTest
    @CsvSource({"401, expected=credentials", "404, expected=the server's path and model", "302, expected=the url"})
    void shouldNameTheRemedyOfAMisconfiguration(int status, String remedy) {
        answers(error(status, "no"));
        try (TestEngine engine = TestEngine.before(url())) {
            CompletableFuture<Completion> accepted = engine.chat("hello");
            await().until(() -> engine.engine().describe().contains(remedy));
            assertThat(accepted).isNotDone();
        }
    }

    @ParameterizedTest
    @CsvSource({"403, INVALID_REQUEST", "404, INVALID_REQUEST", "502, ENGINE_ERROR"})
    void shouldAnswerWhatStandsBehindARequestThatItsServerAlwaysFailsAt(int status, FailureCode code) {
        answers(ok());
        SERVER.stubFor(post(anyUrl()).withRequestBody(containing("poison")).willReturn(error(status, "no")));
        Breaker breaker = new Breaker(0.5, 20, Duration.ofMillis(50));
        try (TestEngine engine = TestEngine.before(
                List.of(url()), options -> options.breaker(breaker).maxNumSeqs(1))) {
            CompletableFuture<Completion> poison = engine.chat("poison");
            List<CompletableFuture<Completion>> good =
                    Stream.generate(() -> engine.chat("hello")).limit(10).toList();

            good.forEach(each -> assertThat(text(each)).isEqualTo("ok"));
            Failed failed = failed(poison);
            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.message())
                    .startsWith("attempts=3 that failed while others were answered, the last on endpoint a: status="
                            + status + ": no");
        }
    }

    @Test
    void shouldRefuseToEmbedOnAServerThatOnlyChatsAndChatOn() {
        answers(ok());
        SERVER.stubFor(post("/v1/embeddings").willReturn(error(404, "Not Found")));
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");

            Failed failed = failed(
                    engine.submit(engine.request(Operation.EMBED, "x", SamplingParameters.DEFAULT, Optional.empty())));

            assertThat(failed.code()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).startsWith("status=404: Not Found, expected=");
            assertThat(engine.engine().stats().healthy()).isTrue();
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(requests()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 404, 502})
    void shouldFailNoneOfManyWhileItsServerAnswersNobody(int status) {
        answers(ok());
        Breaker breaker = new Breaker(0.5, 20, Duration.ofMillis(50));
        try (TestEngine engine = TestEngine.before(List.of(url()), options -> options.breaker(breaker))) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            // all are taken before the first answer closes the gate
            SERVER.stubFor(post(anyUrl()).willReturn(error(status, "no").withFixedDelay(500)));
            int before = requests();
            List<CompletableFuture<Completion>> all =
                    Stream.generate(() -> engine.chat("hello")).limit(5).toList();
            SERVER.stubFor(post(anyUrl()).willReturn(error(status, "no")));
            await().until(() -> requests() > before + 15);
            assertThat(all).noneMatch(CompletableFuture::isDone);

            SERVER.resetAll();
            answers(ok());
            all.forEach(each -> assertThat(text(each)).isEqualTo("ok"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 413, 422})
    void shouldFailAnInvalidRequestWithTheServersWords(int status) {
        answers(error(status, "temperature must be non-negative"));
        try (TestEngine engine = TestEngine.before(url())) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).isEqualTo("temperature must be non-negative");
            assertThat(requests()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 500})
    void shouldFailAPromptThatDoesNotFit(int status) {
        answers(error(status, "the request exceeds the available context size, try increasing it"));
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(failed(engine.chat("hello")).code()).isEqualTo(FailureCode.CONTEXT_LENGTH_EXCEEDED);
            assertThat(requests()).isEqualTo(1);
        }
    }

    @Test
    void shouldTryAgainAfterAServerError() {
        answers(error(500, "oops"), error(500, "oops"), ok());
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(requests()).isEqualTo(3);
        }
    }

    @Test
    void shouldFailWhatFailsAtEveryAttempt() {
        answers(error(500, "oops"));
        try (TestEngine engine = TestEngine.before(url())) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message()).isEqualTo("attempts=3, the last on endpoint a: status=500: oops");
            assertThat(requests()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no finish_reason | data: {'choices':[{'delta':{'content':'half'}}]}\\n\\ndata: [DONE]\\n\\n | finish_reason=absent",
                "[DONE] early | data: [DONE]\\n\\n | finish_reason=absent",
                "nothing | '' | finish_reason=absent",
                "garbage | data: {'choices':[{'delt\\n\\n | body={\"choices\":[{\"delt, expected=JSON",
                "no object | data: 7\\n\\n | chunk=7, expected=a JSON object",
                "aborted | data: {'choices':[{'delta':{},'finish_reason':'abort'}]}\\n\\n | finish_reason=abort",
                "an error inside | data: {'error':{'message':'died','code':500}}\\n\\n | status=500: died",
                "a gateway's error | data: {'choices':[{'delta':{'content':'half'}}]}\\n\\ndata: {'error': {'message': 'litellm.APIConnectionError: APIConnectionError: OpenAIException - died', 'type': null, 'param': null, 'code': '500'}}\\n\\n | status=500: litellm.APIConnectionError",
            })
    void shouldTakeABrokenStreamForAFailedAttempt(String name, String body, String message) {
        answers(events(body.replace('\'', '"').replace("\\n", "\n")));
        try (TestEngine engine = TestEngine.before(url())) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message()).contains(message);
            assertThat(requests()).isEqualTo(3);
        }
    }

    private static ResponseDefinitionBuilder lines(String... lines) {
        return aResponse()
                .withHeader("Content-Type", "application/jsonlines")
                .withBody(String.join("\n", lines).replace('\'', '"'));
    }

    /** As DJL-Serving 0.36 streams what vLLM says. */
    @Test
    void shouldReadAStreamOfLines() {
        answers(lines(
                "{'model':'served-1','choices':[{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}]}",
                "{'code':0,'message':'success','choices':[{'index':0,'delta':{'content':'o'},'finish_reason':null}]}",
                "{'model':'served-1','choices':[{'index':0,'delta':{'content':'k'},'finish_reason':'length'}]}",
                "{'model':'served-1','choices':[],'usage':{'prompt_tokens':3,'completion_tokens':2},'system_fingerprint':'f'}",
                "",
                ""));
        try (TestEngine engine = TestEngine.before(url())) {
            Completed completed = completed(engine.chat("hello"));

            assertThat(((Output.Text) completed.output()).text()).isEqualTo("ok");
            assertThat(completed.finishReason()).isEqualTo(Completion.FinishReason.LENGTH);
            assertThat(completed.usage()).isEqualTo(new Completion.Usage(3, 0, 2));
            assertThat(completed.batch().steps()).as("parts").isEqualTo(2);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // vLLM's own, which DJL-Serving passes on
                "{'error':{'message':'Grammar error','type':'BadRequestError','param':null,'code':400}} | INVALID_REQUEST | Grammar error",
                // DJL-Serving's, with no end of the line
                "{'error':'no','code':424} | INVALID_REQUEST | no",
                "{'code':500,'message':'Inference Engine Failure','properties':{},'content':{'keys':[],'values':[]},'cancelled':false}"
                        + " | ENGINE_ERROR | attempts=3, the last on endpoint a: status=500: Inference Engine Failure",
            })
    void shouldFindAnErrorInTheMiddleOfLines(String line, FailureCode code, String message) {
        answers(lines("{'choices':[{'index':0,'delta':{'content':'ha'},'finish_reason':null}]}", line));
        try (TestEngine engine = TestEngine.before(url())) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.message()).isEqualTo(message);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "EMPTY_RESPONSE",
                "MALFORMED_RESPONSE_CHUNK",
                "RANDOM_DATA_THEN_CLOSE",
                "CONNECTION_RESET_BY_PEER"
            })
    void shouldTryAgainAfterABrokenConnection(Fault fault) {
        answers(aResponse().withFault(fault), ok());
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(requests()).isEqualTo(2);
        }
    }

    @Test
    void shouldRefuseWhatIsRefusedInsideAStream() {
        answers(events("data: {\"error\":{\"message\":\"bad grammar\",\"code\":400}}\n\n"));
        try (TestEngine engine = TestEngine.before(url())) {
            assertThat(failed(engine.chat("hello")).code()).isEqualTo(FailureCode.INVALID_REQUEST);
        }
    }

    @Test
    void shouldLeaveAServerAloneWhoseBreakerIsOpenAndTryItAgain() {
        answers(error(500, "oops"), error(500, "oops"), ok());
        Breaker breaker = new Breaker(0.5, 4, Duration.ofMillis(300));
        try (TestEngine engine = TestEngine.before(
                List.of(url()), options -> options.breaker(breaker).retries(TestEngine.retries(10)))) {
            CompletableFuture<Completion> answered = engine.chat("hello");

            await().until(() -> engine.engine().describe().contains("breaker open"));
            assertThat(engine.engine().describe()).contains("its circuit breaker is open: status=500: oops");
            assertThat(text(answered)).isEqualTo("ok");
            assertThat(engine.engine().describe()).contains("breaker half_open");
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            await().until(() -> engine.engine().describe().contains("breaker closed"));
        }
    }

    @Test
    void shouldGoToAnotherServerWhenOneIsAway() throws Exception {
        answers(ok());
        URI nobody = unusedPort();
        try (TestEngine engine = TestEngine.before(List.of(nobody, url()), options -> options)) {
            for (int i = 0; i < 5; i++) {
                assertThat(completed(engine.chat("hello")).endpoint()).contains("b");
            }
            assertThat(engine.engine().stats().healthy()).isTrue();
        }
    }

    @Test
    void shouldWaitForAServerThatIsNotThereYet() throws Exception {
        URI nobody = unusedPort();
        try (TestEngine engine = TestEngine.before(nobody)) {
            CompletableFuture<Completion> waits = engine.chat("hello");
            await().until(() -> engine.engine().describe().contains("no connection"));

            try (SocketServer _ = SocketServer.start(nobody.getPort(), (_, reply) -> reply.answer("late"))) {
                assertThat(text(waits)).isEqualTo("late");
            }
        }
    }

    @Test
    void shouldWaitForAHostThatIsNotKnownYet() {
        try (TestEngine engine = TestEngine.before(URI.create("http://host.invalid/v1"))) {
            CompletableFuture<Completion> waits = engine.chat("hello");
            await().until(() -> engine.engine().describe().contains("unknown host"));
            assertThat(waits).isNotDone();
        }
    }

    /** A port on which nobody listens. */
    private static URI unusedPort() throws Exception {
        try (SocketServer gone = SocketServer.start((_, _) -> {})) {
            return gone.url();
        }
    }
}
