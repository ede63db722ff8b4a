package io.millrace.llm.backend.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvShape;
import io.millrace.llm.backend.KvSlot;
import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.RopeFrequencies;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.backend.Weight;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Values computed by hand. */
class ReferenceOpsTest {

    private final ReferenceBackend backend = new ReferenceBackend();
    private final ReferenceOps ops = new ReferenceOps();

    @Test
    void shouldMultiplyRowsAndAddTheBias() {
        Tensor in = rows(new float[][] {{1, 2}, {3, -1}});
        Tensor out = backend.allocate(2, 4);
        Linear linear = new Linear(weight(new long[] {2, 3}, 1, 0, 0, 1, 2, 3), weight(new long[] {3}, 10, 20, 30));
        ops.linear(2, in, linear, out, 1);
        assertThat(ReferenceTensors.row(out, 0)).containsExactly(0, 11, 22, 38);
        assertThat(ReferenceTensors.row(out, 1)).containsExactly(0, 13, 19, 33);
    }

    @Test
    void shouldDivideByTheRootMeanSquare() {
        Tensor in = rows(new float[][] {{3, 4}});
        ops.rmsNorm(1, in, new RmsNorm(weight(new long[] {2}, 1, 10), 0), in);
        float root = (float) Math.sqrt(12.5);
        assertThat(ReferenceTensors.row(in, 0)).containsExactly(new float[] {3 / root, 40 / root}, within(1e-6f));
    }

    @Test
    void shouldRotateNeighbouringValuesOfQueriesAndKeysByPositionTimesFrequency() {
        AttentionShape shape = new AttentionShape(1, 1, 4, 4);
        Batch batch = batch(1, 2);
        Tensor angles = backend.allocate(2, 4);
        ops.ropeAngles(batch, new RopeFrequencies(new double[] {Math.PI / 2, 0}), angles);
        Tensor qkv =
                rows(new float[][] {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}});
        ops.rope(2, angles, shape, qkv);
        // position 1: a quarter turn of the first pair; position 2: a half turn; values stay
        assertThat(ReferenceTensors.row(qkv, 0))
                .containsExactly(new float[] {-2, 1, 3, 4, -6, 5, 7, 8, 9, 10, 11, 12}, within(1e-6f));
        assertThat(ReferenceTensors.row(qkv, 1))
                .containsExactly(new float[] {-1, -2, 3, 4, -5, -6, 7, 8, 9, 10, 11, 12}, within(1e-6f));
    }

    @Test
    void shouldAttendToItsOwnAndEarlierPositionsOnly() {
        AttentionShape shape = new AttentionShape(2, 1, 1, 0);
        KvCache cache = backend.allocateKv(new KvShape(1, 2, 16, 1, 1));
        Batch batch = batch(0, 2);
        // rows: two queries, key, value
        Tensor qkv = rows(new float[][] {{1, 0, 0, 5}, {1, 0, (float) Math.log(3), 9}});
        Tensor attended = backend.allocate(2, 2);
        ops.writeKv(batch, shape, qkv, cache, new KvSlot(0, 0));
        ops.attention(batch, shape, qkv, cache, new KvSlot(0, 0), attended);
        assertThat(ReferenceTensors.row(attended, 0)).containsExactly(5, 5);
        // the first head weighs 1 : 3 (ln 3 rounded to f16), the second 1 : 1
        assertThat(ReferenceTensors.row(attended, 1)).containsExactly(new float[] {8, 7}, within(2e-3f));
    }

    @Test
    void shouldActivateTheGateAndMultiply() {
        Tensor gateUp = rows(new float[][] {{0, 2, 7, 3}});
        Tensor out = backend.allocate(1, 2);
        ops.siluMultiply(1, gateUp, out);
        float silu = (float) (2 / (1 + Math.exp(-2)));
        assertThat(ReferenceTensors.row(out, 0)).containsExactly(new float[] {0, 3 * silu}, within(1e-6f));
    }

    private Tensor rows(float[][] values) {
        Tensor tensor = backend.allocate(values.length, values[0].length);
        for (int row = 0; row < values.length; row++) {
            ReferenceTensors.setRow(tensor, row, values[row]);
        }
        return tensor;
    }

    private Weight weight(long[] shape, float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return backend.load(new GgufTensor("w", GgmlType.F32, shape, MemorySegment.ofArray(bytes.array())));
    }

    private static Batch batch(int start, int count) {
        int[] positions = new int[count];
        for (int i = 0; i < count; i++) {
            positions[i] = start + i;
        }
        Batch.Span span = new Batch.Span(0, count, start, new int[][] {{1, 0}});
        return new Batch(new int[count], positions, List.of(span), new int[0], List.of());
    }
}
