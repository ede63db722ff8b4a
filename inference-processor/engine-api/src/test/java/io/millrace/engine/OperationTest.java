package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OperationTest {

    @Test
    void shouldFindEachOperationByItsWireNameAndNoOther() {
        for (Operation operation : Operation.values()) {
            assertThat(Operation.ofWireName(operation.wireName())).contains(operation);
        }
        assertThat(Operation.ofWireName("CHAT")).isEmpty();
        assertThat(Operation.ofWireName("summon")).isEmpty();
    }
}
