package io.millrace.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Input;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.gguf.GgufTensor;
import io.millrace.llm.tokenizer.ChatTemplate;
import io.millrace.llm.tokenizer.ParseSpecial;
import io.millrace.llm.tokenizer.Tokenizer;
import io.millrace.llm.tokenizer.jinja.TemplateException;
import io.millrace.remote.ForeignText;
import io.millrace.remote.protocol.AnswerReader;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import io.millrace.remote.protocol.ServerCall;
import io.millrace.remote.protocol.ServerFaults;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.InvalidFieldException;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.ConfigReport;
import io.millrace.streams.config.Problem;
import io.millrace.streams.intake.RequestFactory;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingPrompt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * What reads bytes from outside. Each ends in the error that its caller knows what to do with, never in another exception, a
 * stack overflow, a full memory or an endless loop.
 */
enum HostileInput {
    /** A prompt in JSON, and the request that it makes. */
    JSON {
        @Override
        void read(byte[] value) {
            try (Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, AS_JSON);
                    Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, AS_JSON)) {
                PromptRequest prompt = deserializer.deserialize("prompts", value);
                byte[] written = serializer.serialize("prompts", prompt);
                assertThat(deserializer.deserialize("prompts", written)).isEqualTo(prompt);
                makeRequest(prompt);
            } catch (SerializationException | InvalidFieldException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    },

    /** A prompt in Avro. Where the frame begins like one it names a schema that is registered. */
    AVRO {
        @Override
        void read(byte[] value) {
            try (Deserializer<PromptRequest> deserializer = RecordSerdes.deserializer(PromptRequest.class, AS_AVRO);
                    Serializer<PromptRequest> serializer = RecordSerdes.serializer(PromptRequest.class, AS_AVRO)) {
                byte[] frame = serializer.serialize(
                        "prompts", PromptRequest.newBuilder().setPrompt("x").build());
                if (value.length >= WIRE_HEADER_BYTES && value[0] == 0) {
                    System.arraycopy(frame, 0, value, 0, WIRE_HEADER_BYTES);
                }
                makeRequest(deserializer.deserialize("prompts", value));
            } catch (SerializationException | InvalidFieldException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    },

    /** The pending store's values are our own; a truncated or foreign one is named all the same. */
    PENDING {
        @Override
        void read(byte[] value) {
            try {
                PendingPrompt prompt = PendingCodec.decode(value);
                byte[] written = PendingCodec.encode(prompt);
                assertThat(PendingCodec.encode(PendingCodec.decode(written))).isEqualTo(written);
                assertThat(PendingCodec.sizeBytes(prompt)).isEqualTo(written.length);
            } catch (SerializationException e) {
                assertThat(e.getMessage()).startsWith("pending entry ");
            }
        }
    },

    /** A model file: header, tensors, tokenizer and chat template. */
    GGUF {
        @Override
        void read(byte[] value) throws IOException {
            inFile(value, file -> {
                for (GgufTensor tensor : file.tensors()) {
                    assertThat(tensor.data().byteSize()).isLessThanOrEqualTo(value.length);
                }
                for (String key : file.metadata().keys()) {
                    assertThat(file.metadata().describe(key)).isNotNull();
                }
                encode(Tokenizer.of(file.metadata()), "Na\u00efve \u4f60\u597d 123\n\n <s>x</s>");
                ChatTemplate.find(file.metadata()).ifPresent(HostileInput::render);
            });
        }
    },

    /** A prompt's text. The first byte says which kind of vocabulary. */
    TOKENIZER {
        @Override
        void read(byte[] value) {
            if (value.length > 0) {
                Tokenizer tokenizer = (value[0] & 1) == 1 ? Vocabularies.BYTE_PAIR : Vocabularies.SENTENCE_PIECE;
                encode(tokenizer, new String(value, 1, value.length - 1, StandardCharsets.UTF_8));
            }
        }
    },

    /** A chat template, on a conversation. */
    CHAT_TEMPLATE {
        @Override
        void read(byte[] value) throws IOException {
            inFile(Vocabularies.withTemplate(value), file -> render(ChatTemplate.of(file.metadata())));
        }
    },

    /** A configuration file. */
    YAML {
        @Override
        void read(byte[] value) {
            String text = new String(value, StandardCharsets.UTF_8);
            ConfigReport report = ConfigReport.ofText("millrace.yaml", text, Map.of("SECRET", "s3cr\u00e9t"));
            boolean hasErrors =
                    report.problems().stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
            assertThat(report.config().isPresent()).isNotEqualTo(hasErrors);
        }
    },

    /** What a model server streams, in whatever pieces it comes. The first byte says whether log probabilities were asked for. */
    EVENT_STREAM {
        @Override
        void read(byte[] value) throws IOException {
            byte[] stream = Arrays.copyOfRange(value, Math.min(1, value.length), value.length);
            List<String> events = ForeignText.events(stream, 1);
            assertThat(ForeignText.events(stream, 3)).isEqualTo(events);
            assertThat(ForeignText.events(stream, Integer.MAX_VALUE)).isEqualTo(events);
            List<String> lines = ForeignText.lines(stream, 1);
            assertThat(ForeignText.lines(stream, 3)).isEqualTo(lines);
            assertThat(ForeignText.lines(stream, Integer.MAX_VALUE)).isEqualTo(lines);
            boolean withLogprobs = value.length > 0 && (value[0] & 1) == 1;
            answer(
                    withLogprobs ? ServerCalls.LOGPROBS : ServerCalls.CHAT,
                    reader -> ForeignText.accept(events, reader));
        }
    },

    /** A model server's body in one piece. The first byte says to which request. */
    SERVER_BODY {
        @Override
        void read(byte[] value) throws IOException {
            if (value.length > 0) {
                String body = new String(value, 1, value.length - 1, StandardCharsets.UTF_8);
                ServerCall call = ServerCalls.ALL.get((value[0] & 0xff) % ServerCalls.ALL.size());
                answer(call, reader -> reader.accept(Json.parse(body)));
                Fault fault = ServerFaults.of(400 + (value[0] & 0xff), Optional.of(body), body, Instant.EPOCH);
                assertThat(fault.message()).isNotBlank();
            }
        }
    },

    /** What a server's metrics page says. */
    PROMETHEUS {
        @Override
        void read(byte[] value) {
            String text = new String(value, StandardCharsets.UTF_8);
            OptionalDouble sum = ForeignText.sum(text, "vllm:num_requests_waiting");
            assertThat(sum.isEmpty() || text.contains("vllm:num_requests_waiting"))
                    .isTrue();
        }
    };

    /** Names the target of {@link #fuzzerTestOneInput}. */
    static final String TARGET = "millrace.fuzz.target";

    private static final Path CORPUS = Path.of("src/test/resources/fuzz");
    private static final int WIRE_HEADER_BYTES = 5;
    private static final Map<String, Object> AS_JSON = Map.of("value.format", "json");
    private static final Map<String, Object> AS_AVRO = Map.of("schema.registry.url", "mock://fuzz");
    private static final List<Input.Message> CONVERSATION = List.of(
            new Input.Message("system", "You are terse."),
            new Input.Message("user", "Name three \u00e9l\u00e8ves \ud83d\ude00."),
            new Input.Message("assistant", "<|im_end|> Ann"),
            new Input.Message("user", "{{ 1 }}"));

    /** Reads bytes from outside; returns where they are readable, and where the reader says what is wrong with them. */
    abstract void read(byte[] value) throws IOException;

    /** The fuzzer's entry. */
    public static void fuzzerTestOneInput(byte[] value) throws IOException {
        named(System.getProperty(TARGET, "")).read(value);
    }

    static HostileInput named(String name) {
        return Arrays.stream(values())
                .filter(target -> target.fileName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(TARGET + "=" + name + ", expected=one of "
                        + Arrays.stream(values()).map(HostileInput::fileName).toList()));
    }

    String fileName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Inputs that are kept: seeds, and what once broke. */
    Path corpus() {
        return CORPUS.resolve(fileName());
    }

    @FunctionalInterface
    private interface Feed {
        void to(AnswerReader reader) throws FaultException;
    }

    private static void answer(ServerCall call, Feed feed) {
        AnswerReader reader = call.reader().get();
        try {
            feed.to(reader);
            assertThat(reader.answer().output()).isNotNull();
        } catch (FaultException e) {
            assertThat(e.fault().message()).isNotBlank();
        }
        assertThat(reader.parts()).isNotNegative();
        assertThat(reader.text()).isNotNull();
    }

    private static void makeRequest(PromptRequest prompt) {
        try {
            assertThat(RequestFactory.request("id", prompt, SamplingParameters.DEFAULT, 1, 0))
                    .isNotNull();
        } catch (InvalidRequestException e) {
            assertThat(e.getMessage()).contains(", expected=");
        }
    }

    private static void encode(Tokenizer tokenizer, String text) {
        for (ParseSpecial parse : ParseSpecial.values()) {
            int[] tokens = tokenizer.encode(text, parse);
            for (int token : tokens) {
                assertThat(token).isBetween(0, tokenizer.vocabSize() - 1);
            }
            assertThat(tokenizer.decode(tokens)).isNotNull();
        }
    }

    private static void render(ChatTemplate template) {
        try {
            assertThat(template.render(CONVERSATION, ChatTemplate.GenerationPrompt.ADD))
                    .isNotNull();
        } catch (TemplateException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @FunctionalInterface
    private interface Use {
        void accept(GgufFile file) throws IOException;
    }

    private static void inFile(byte[] bytes, Use use) throws IOException {
        Path path = Files.createTempFile("fuzz", ".gguf");
        try {
            Files.write(path, bytes);
            try (GgufFile file = GgufFile.open(path)) {
                use.accept(file);
            }
        } catch (GgufException e) {
            assertThat(e.getMessage()).contains(path.toString());
        } finally {
            Files.delete(path);
        }
    }
}
