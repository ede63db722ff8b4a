package io.millrace.llm.kvcache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class KvBlocksTest {

    @Test
    void shouldHoldOneBlockPerBlockSizeTokensInEachGroup() {
        List<BlockPool> pools = List.of(new BlockPool(10), new BlockPool(10));
        KvBlocks blocks = new KvBlocks(pools, 4);

        assertThat(blocks.growTo(9)).isTrue();

        assertThat(pools).allSatisfy(pool -> assertThat(pool.usedCount()).isEqualTo(3));
        assertThat(blocks.tables(4)).hasDimensions(2, 1);
        assertThat(blocks.tables(5)).hasDimensions(2, 2);
        assertThat(blocks.tables(9)).hasDimensions(2, 3);
        assertThat(blocks.tables(9)[0]).startsWith(blocks.tables(4)[0]);
    }

    @Test
    void shouldTakeNothingWhereOneGroupHasTooLittle() {
        List<BlockPool> pools = List.of(new BlockPool(10), new BlockPool(2));
        KvBlocks blocks = new KvBlocks(pools, 1);

        assertThat(blocks.growTo(3)).isFalse();

        assertThat(pools.get(0).usedCount()).isZero();
        assertThat(pools.get(1).usedCount()).isZero();
        assertThat(blocks.growTo(2)).isTrue();
    }

    @Test
    void shouldCountTheReserveBesideWhatIsMissing() {
        KvBlocks blocks = new KvBlocks(List.of(new BlockPool(4)), 2);
        assertThat(blocks.canGrowTo(4, 2)).isTrue();
        assertThat(blocks.canGrowTo(4, 3)).isFalse();
        assertThat(blocks.canGrowTo(5, 2)).isFalse();
        assertThat(blocks.growTo(4)).isTrue();
        assertThat(blocks.canGrowTo(4, 2)).isTrue();
    }

    @Test
    void shouldGiveEveryBlockBack() {
        BlockPool pool = new BlockPool(64);
        KvBlocks blocks = new KvBlocks(List.of(pool), 1);
        assertThat(blocks.growTo(50)).isTrue();
        blocks.release();
        assertThat(pool.freeCount()).isEqualTo(64);
        assertThat(blocks.growTo(64)).isTrue();
    }
}
