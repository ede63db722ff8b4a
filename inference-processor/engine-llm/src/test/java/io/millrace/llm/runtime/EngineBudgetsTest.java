package io.millrace.llm.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millrace.llm.runtime.EngineBudgets.ModelShape;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class EngineBudgetsTest {

    private static final ModelShape SMOLLM2 = new ModelShape(8192, 23_040, 1);
    private static final long MIB = 1L << 20;

    @Test
    void shouldDeriveTheDefaultsOfASmallModel() {
        EngineBudgets budgets = derive(8192 * MIB, b -> b);
        assertThat(budgets.schedulerLimits())
                .isEqualTo(new SchedulerLimits(512, 32, 8192, 1024, 16, 1, PrefillMode.CHUNKED));
        assertThat(budgets.kvCacheBytes()).isEqualTo(32L * 512 * 23_040);
        assertThat(budgets.describe())
                .contains("max_num_seqs × 512 tokens × kv_bytes_per_token")
                .contains("the model's context")
                .contains("num_blocks                       1,024 blocks");
    }

    @Test
    void shouldTakeAtMostAQuarterOfTheMemoryAndShortenTheContextToIt() {
        EngineBudgets budgets = derive(64 * MIB, b -> b);
        assertThat(budgets.schedulerLimits().numBlocks()).isEqualTo((int) (16 * MIB / (16 * 23_040)));
        assertThat(budgets.maxModelLen()).isEqualTo(45 * 16);
        assertThat(budgets.describe())
                .contains("a quarter of the heap of 67108864 bytes (java -Xmx)")
                .contains("num_blocks × block_size, less than the model's context of 8192");
    }

    @Test
    void shouldHoldOneSequenceOfTheWholeContextByDefault() {
        EngineBudgets budgets = derive(8192 * MIB, b -> b.maxNumSeqs(2));
        assertThat(budgets.maxModelLen()).isEqualTo(8192);
        assertThat(budgets.schedulerLimits().numBlocks()).isEqualTo(512);
    }

    @Test
    void shouldNotTakeMoreBlocksThanItCouldUse() {
        EngineBudgets budgets =
                derive(MIB, b -> b.maxNumSeqs(2).maxModelLen(100).kvCacheMemoryBytes(1024 * MIB));
        assertThat(budgets.schedulerLimits().numBlocks()).isEqualTo(14);
        assertThat(budgets.kvCacheBytes()).isEqualTo(14L * 16 * 23_040);
    }

    @Test
    void shouldMakeTheStepLargeEnoughForItsSequencesOrAWholePrompt() {
        assertThat(derive(1L << 40, b -> b.maxNumSeqs(1000)).schedulerLimits().maxNumBatchedTokens())
                .isEqualTo(1000);
        assertThat(derive(1L << 40, b -> b.enableChunkedPrefill(false))
                        .schedulerLimits()
                        .maxNumBatchedTokens())
                .isEqualTo(8192);
        assertThat(derive(1L << 40, b -> b.enableChunkedPrefill(false).maxNumBatchedTokens(2048))
                        .maxModelLen())
                .as("the longest prompt goes into one step")
                .isEqualTo(2048);
    }

    @Test
    void shouldRefuseWhatModelOrMemoryCannotGive() {
        assertWrong(b -> b.maxModelLen(8193), "max_model_len=8193, expected=at most the model's context of 8192");
        assertWrong(
                b -> b.maxModelLen(8192).kvCacheMemoryBytes(16L * 16 * 23_040),
                "max_model_len=8192, expected=at most 256, which is what the KV cache holds;"
                        + " kv_cache_memory=188743680 bytes would do");
        assertWrong(b -> b.kvCacheMemoryBytes(1000), "kv_cache_memory=1000, expected=at least a block of 368640 bytes");
        assertWrong(
                b -> b.enableChunkedPrefill(false).maxModelLen(4096).maxNumBatchedTokens(2048),
                "max_num_batched_tokens=2048, expected=at least max_model_len=4096, for enable_chunked_prefill=false");
    }

    @Test
    void shouldNameOptionAndValueWhereAnOptionIsWrong() {
        assertWrong(b -> b.maxNumSeqs(0), "max_num_seqs=0, expected=at least 1");
        assertWrong(b -> b.maxModelLen(1), "max_model_len=1, expected=at least 2");
        assertWrong(b -> b.maxNumBatchedTokens(31), "max_num_batched_tokens=31, expected=at least max_num_seqs=32");
        assertWrong(b -> b.blockSize(0), "block_size=0, expected=1 to 256");
        assertWrong(b -> b.blockSize(257), "block_size=257, expected=1 to 256");
        assertWrong(b -> b.kvCacheMemoryBytes(0), "kv_cache_memory=0, expected=at least 1 byte");
        assertWrong(b -> b.threads(-1), "threads=-1, expected=0 (all) or more");
        assertWrong(b -> b.maxWaiting(0), "max_waiting=0, expected=at least 1");
        assertWrong(b -> b.defaultMaxTokens(0), "default_max_tokens=0, expected=at least 1");
    }

    private static EngineBudgets derive(long memoryBytes, UnaryOperator<LlmEngineOptions.Builder> options) {
        return EngineBudgets.derive(
                SMOLLM2, options.apply(LlmEngineOptions.builder()).build(), memoryBytes);
    }

    private static void assertWrong(UnaryOperator<LlmEngineOptions.Builder> options, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> derive(1L << 40, options))
                .withMessage(message);
    }
}
