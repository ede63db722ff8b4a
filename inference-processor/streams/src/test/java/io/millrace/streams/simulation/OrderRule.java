package io.millrace.streams.simulation;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** {@code processor.ordering: key}: the prompts of one key and partition end in their order, whatever their endings. */
final class OrderRule {

    private OrderRule() {}

    /** @param keyOf of the prompt at an offset */
    static void check(List<Ending> endingsOfPartition, IntFunction<byte @Nullable []> keyOf) {
        Map<Bytes, Ending> last = new HashMap<>();
        for (Ending ending : endingsOfPartition.stream()
                .sorted(Comparator.comparingLong(Ending::written))
                .toList()) {
            byte[] key = keyOf.apply(ending.offset());
            Ending before = key == null ? null : last.put(Bytes.wrap(key), ending);
            if (before != null && before.offset() > ending.offset()) {
                throw new AssertionError(ending + " after " + before + ", expected=the order of their key");
            }
        }
    }
}
