package io.millrace.schemas.serde;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Message;
import io.millrace.schemas.Part;
import io.millrace.schemas.PositionLogprobs;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.ResponseFormat;
import io.millrace.schemas.Score;
import io.millrace.schemas.Source;
import io.millrace.schemas.Timings;
import io.millrace.schemas.TokenLogprob;
import io.millrace.schemas.Usage;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;

/** One record of each kind with every field set, and the smallest prompt. */
final class Samples {

    static final Instant TIME = Instant.ofEpochMilli(1_764_000_000_123L);

    private Samples() {}

    static List<SpecificRecord> everyKind() {
        return List.of(fullPrompt(), smallPrompt(), result(), failure(), metrics(), interval(), command());
    }

    static PromptRequest smallPrompt() {
        return PromptRequest.newBuilder().setPrompt("Say hello.").build();
    }

    static PromptRequest fullPrompt() {
        Part text = Part.newBuilder().setText("Grüße, 世界 👋").build();
        Part image = Part.newBuilder()
                .setMediaType("image/png")
                .setData(ByteBuffer.wrap(new byte[] {0, -1, 127, -128, 10}))
                .build();
        Message system =
                Message.newBuilder().setRole("system").setContent("Be brief.").build();
        Message user = Message.newBuilder()
                .setRole("user")
                .setParts(List.of(text, image))
                .build();
        return PromptRequest.newBuilder()
                .setRequestId("r-1")
                .setModel("smollm2-135m-instruct")
                .setOperation("rerank")
                .setPrompt("line 1\nline \"2\"\t\u0000\u001f")
                .setMessages(List.of(system, user))
                .setPromptTokenIds(List.of(1, 49_151, 0))
                .setDocuments(List.of("a", "", "c"))
                .setMaxTokens(16)
                .setMinTokens(1)
                .setIgnoreEos(true)
                .setTemperature(0.7)
                .setTopP(0.95)
                .setTopK(40)
                .setMinP(0.05)
                .setRepetitionPenalty(1.1)
                .setStop(List.of("\n\n", "END"))
                .setSeed(Long.MIN_VALUE)
                .setLogprobs(5)
                .setResponseFormat(ResponseFormat.newBuilder()
                        .setType("json_schema")
                        .setJsonSchema("{\"type\":\"object\"}")
                        .build())
                .setExtraBody("{\"guided_choice\":[\"yes\",\"no\"]}")
                .setPriority(-3)
                .setDeadline(TIME)
                .setTenant("acme")
                .setJobId("job-7")
                .setMetadata(Map.of("ticket", "T-1"))
                .build();
    }

    static InferenceResult result() {
        PositionLogprobs position = new PositionLogprobs(
                7, -0.25f, List.of(new TokenLogprob(7, -0.25f), new TokenLogprob(9, Float.NEGATIVE_INFINITY)));
        return InferenceResult.newBuilder()
                .setRequestId("r-1")
                .setModel("smollm2-135m-instruct")
                .setModelVersion("1")
                .setModelDigest("sha256:b179c952")
                .setEndpoint("a")
                .setOperation("chat")
                .setText("Hello.")
                .setEmbedding(List.of(0.1f, -1.5f, Float.MIN_VALUE))
                .setScores(List.of(new Score(1, "billing", 0.75)))
                .setLogprobs(List.of(position))
                .setFinishReason("stop")
                .setUsage(new Usage(31, 16, 2))
                .setTimings(new Timings(1.5, 20.25, 30.0, 21.75, 51.75))
                .setSource(source())
                .setTenant("acme")
                .setJobId("job-7")
                .setMetadata(Map.of("ticket", "T-1"))
                .build();
    }

    static InferenceFailure failure() {
        return InferenceFailure.newBuilder()
                .setRequestId("millrace.prompts-3-42")
                .setModel("gpt-17")
                .setCode(FailureCode.MODEL_NOT_FOUND)
                .setMessage("model=\"gpt-17\", expected=one of smollm2-135m-instruct")
                .setRetriable(false)
                .setPartialText("Hel")
                .setUsage(new Usage(31, 0, 1))
                .setFailedAt(TIME)
                .setSource(source())
                .setTenant("acme")
                .setJobId("job-7")
                .setMetadata(Map.of())
                .build();
    }

    static InferenceMetrics metrics() {
        return InferenceMetrics.newBuilder()
                .setRequestId("r-1")
                .setModel("smollm2-135m-instruct")
                .setInstance("host-1")
                .setOutcome("length")
                .setUsage(new Usage(31, 16, 256))
                .setTimings(new Timings(0.0, 1.0, 2.0, 1.0, 3.0))
                .setSteps(257)
                .setBatchSizeMean(17.5)
                .setBatchTokensMean(93.25)
                .setPreemptions(1)
                .setRecoveries(2)
                .setCompletedAt(TIME)
                .setSource(source())
                .setTenant("acme")
                .setJobId("job-7")
                .build();
    }

    static EngineInterval interval() {
        return EngineInterval.newBuilder()
                .setInstance("host-1")
                .setModel("smollm2-135m-instruct")
                .setStartedAt(TIME)
                .setDurationMs(1000)
                .setSteps(20)
                .setPromptTokens(4096)
                .setGenerationTokens(640)
                .setBatchSizeMean(32)
                .setBatchTokensMean(236.8)
                .setBusyFraction(0.99)
                .setRequestsRunning(32)
                .setRequestsWaiting(5)
                .setRequestsPending(100)
                .setKvCacheUsagePerc(0.875)
                .setPreemptions(0)
                .setGateClosures(List.of("FULL"))
                .build();
    }

    static ControlCommand command() {
        return ControlCommand.newBuilder()
                .setCommandId("c-1")
                .setAction(ControlAction.CANCEL)
                .setScope(ControlScope.JOB)
                .setTarget("job-7")
                .setReason("wrong file")
                .setIssuedAt(TIME)
                .build();
    }

    private static Source source() {
        return new Source("millrace.prompts", 3, Long.MAX_VALUE, TIME);
    }
}
