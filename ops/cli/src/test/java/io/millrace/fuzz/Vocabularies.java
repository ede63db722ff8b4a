package io.millrace.fuzz;

import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Tokenizers of the engine's golden files, and the least GGUF file that has a chat template. */
final class Vocabularies {

    private static final Path GOLDEN = Path.of("../../inference-processor/engine-llm/src/test/resources/golden");

    static final Tokenizer BYTE_PAIR = tokenizer("splits.gguf");
    static final Tokenizer SENTENCE_PIECE = tokenizer("spm.gguf");

    private static final int GGUF_VERSION = 3;
    private static final int STRING = 8;

    private Vocabularies() {}

    private static Tokenizer tokenizer(String name) {
        try (GgufFile file = GgufFile.open(GOLDEN.resolve(name))) {
            return Tokenizer.of(file.metadata());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Magic, version, no tensors, one entry. */
    static byte[] withTemplate(byte[] template) {
        byte[] key = "tokenizer.chat_template".getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + 4 + 8 + 8 + 8 + key.length + 4 + 8 + template.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("GGUF".getBytes(StandardCharsets.US_ASCII))
                .putInt(GGUF_VERSION)
                .putLong(0)
                .putLong(1)
                .putLong(key.length)
                .put(key)
                .putInt(STRING)
                .putLong(template.length)
                .put(template)
                .array();
    }
}
