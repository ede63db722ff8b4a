package io.millrace.llm.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.backend.reference.ReferenceBackend;
import io.millrace.llm.backend.reference.ReferenceTensors;
import io.millrace.llm.gguf.GgufTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The cpu backend beside the reference, fed with the same numbers. */
final class BothBackends implements AutoCloseable {

    final CpuBackend cpu;
    final ReferenceBackend reference = new ReferenceBackend();

    BothBackends(int threads) {
        cpu = new CpuBackend(threads);
    }

    List<Backend> both() {
        return List.of(cpu, reference);
    }

    static Tensor tensor(Backend backend, float[][] values) {
        Tensor tensor = backend.allocate(values.length, values[0].length);
        for (int row = 0; row < values.length; row++) {
            if (tensor instanceof CpuTensor cpuTensor) {
                System.arraycopy(values[row], 0, cpuTensor.data(), row * values[row].length, values[row].length);
            } else {
                ReferenceTensors.setRow(tensor, row, values[row]);
            }
        }
        return tensor;
    }

    static float[][] values(Tensor tensor) {
        float[][] values = new float[tensor.rows()][tensor.columns()];
        for (int row = 0; row < values.length; row++) {
            if (tensor instanceof CpuTensor cpuTensor) {
                System.arraycopy(cpuTensor.data(), row * tensor.columns(), values[row], 0, tensor.columns());
            } else {
                values[row] = ReferenceTensors.row(tensor, row);
            }
        }
        return values;
    }

    static Linear linear(Backend backend, GgufTensor weight, @Nullable GgufTensor bias) {
        return new Linear(backend.load(weight), bias == null ? null : backend.load(bias));
    }

    /** A batch of one span per token count, starting at the given positions, blocks dealt out in a scattered order. */
    static Batch batch(int blockSize, int[] starts, int[] counts) {
        int tokenCount = Arrays.stream(counts).sum();
        int[] positions = new int[tokenCount];
        List<Batch.Span> spans = new ArrayList<>();
        int row = 0;
        for (int s = 0; s < starts.length; s++) {
            int[] table = new int[Math.ceilDiv(starts[s] + counts[s], blockSize)];
            for (int b = 0; b < table.length; b++) {
                table[b] = b * starts.length + (starts.length - 1 - s);
            }
            for (int i = 0; i < counts[s]; i++) {
                positions[row + i] = starts[s] + i;
            }
            spans.add(new Batch.Span(row, counts[s], starts[s], new int[][] {table}));
            row += counts[s];
        }
        return new Batch(new int[tokenCount], positions, spans, new int[0], List.of());
    }

    static float[][] random(int rows, int columns, float scale, Random random) {
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) {
                row[i] = scale * (float) random.nextGaussian();
            }
        }
        return values;
    }

    /**
     * Every value is within {@code tolerance} times the largest expected magnitude of its row, or times {@code typical} where that is more: a small
     * value may be the difference of large ones.
     */
    static void assertClose(float[][] actual, float[][] expected, double tolerance, double typical, String what) {
        assertThat(actual.length).isEqualTo(expected.length);
        for (int row = 0; row < expected.length; row++) {
            double largest = typical;
            for (float value : expected[row]) {
                largest = Math.max(largest, Math.abs(value));
            }
            for (int i = 0; i < expected[row].length; i++) {
                double error = Math.abs(actual[row][i] - expected[row][i]) / largest;
                assertThat(error)
                        .as("%s: row %d, column %d: %s, expected %s", what, row, i, actual[row][i], expected[row][i])
                        .isLessThanOrEqualTo(tolerance);
            }
        }
    }

    @Override
    public void close() {
        cpu.close();
        reference.close();
    }
}
