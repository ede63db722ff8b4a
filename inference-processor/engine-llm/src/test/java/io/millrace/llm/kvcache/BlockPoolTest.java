package io.millrace.llm.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

    @Test
    void shouldHandOutEachBlockOnceAndThenRefuse() {
        BlockPool pool = new BlockPool(5);
        Set<Integer> taken = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            taken.add(pool.take());
        }
        assertThat(taken).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
        assertThat(pool.freeCount()).isZero();
        assertThat(pool.usedCount()).isEqualTo(5);
        assertThatIllegalStateException().isThrownBy(pool::take).withMessage("free_blocks=0, expected=at least 1 of 5");
    }

    @Test
    void shouldReuseTheBlockGivenBackLast() {
        BlockPool pool = new BlockPool(3);
        int first = pool.take();
        pool.take();
        pool.giveBack(first);
        assertThat(pool.take()).isEqualTo(first);
    }

    @Test
    void shouldRefuseABlockThatIsGivenBackTwice() {
        BlockPool pool = new BlockPool(2);
        int block = pool.take();
        pool.giveBack(block);
        assertThatIllegalStateException()
                .isThrownBy(() -> pool.giveBack(block))
                .withMessage("block=" + block + ", expected=a block that is taken");
    }

    @Test
    void shouldRefuseAnEmptyPool() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new BlockPool(0))
                .withMessage("num_blocks=0, expected=at least 1");
    }
}
