package io.millrace.llm.runtime;

import io.millrace.llm.backend.DeviceOutOfMemoryException;
import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A device that computes nothing but keeps the books: its KV blocks hold the token written at each position, and the token it
 * draws is a hash of what the blocks of a sequence hold. A block that two sequences own, a position that was never computed,
 * or a result of a failed step that is used changes the answer. It also holds each step against the limits.
 */
final class FakeRunner implements StepRunner {

    /** A step with this token in it fails. */
    static final int POISON = 26;

    private static final int GARBAGE = -1;

    private final int depth;
    private final SchedulerLimits limits;
    private final int[][][] cache; // [kv_groups][num_blocks][block_size] token ids
    private final Map<Integer, Integer> newestDraw = new HashMap<>(); // by slot
    private final Deque<Computed> inFlight = new ArrayDeque<>();
    final List<String> events = new ArrayList<>();
    final List<StepInput> steps = new ArrayList<>();
    Consumer<StepInput> onLaunch = step -> {};
    BooleanSupplier failsToLaunch = () -> false;
    BooleanSupplier failsToCollect = () -> false;
    Predicate<StepInput> exhaustsMemoryAtLaunch = step -> false; // as the heap's: an Error
    Predicate<StepInput> exhaustsMemoryAtCollect = step -> false; // as a device's own
    int launchesSinceFailure;
    private int launched;
    private int collected;
    boolean closed;

    /** What collect answers: a step's tokens, or why it failed. */
    private sealed interface Computed {
        record Drawn(StepOutput output) implements Computed {}

        record Failed(RuntimeException cause) implements Computed {}
    }

    FakeRunner(int depth, SchedulerLimits limits) {
        this.depth = depth;
        this.limits = limits;
        cache = new int[limits.kvGroups()][limits.numBlocks()][limits.blockSize()];
        for (int[][] group : cache) {
            for (int[] block : group) {
                Arrays.fill(block, GARBAGE);
            }
        }
    }

    @Override
    public int maxStepsInFlight() {
        return depth;
    }

    @Override
    public void launch(StepInput step) {
        if (inFlight.size() == depth) {
            throw new AssertionError("launched beyond depth " + depth);
        }
        check(step);
        onLaunch.accept(step);
        launchesSinceFailure++;
        if (failsToLaunch.getAsBoolean()) {
            launchesSinceFailure = 0;
            throw new StepFailedException("launch failed", new RuntimeException("fake"));
        }
        if (exhaustsMemoryAtLaunch.test(step)) {
            throw new OutOfMemoryError("no room for " + step.tokenCount() + " tokens");
        }
        events.add("launch " + launched++);
        steps.add(step);
        boolean fails = failsToCollect.getAsBoolean();
        List<SampledToken> sampled = new ArrayList<>();
        for (StepInput.Item item : step.items()) {
            int[] tokens = tokens(item);
            fails |= Arrays.stream(tokens).anyMatch(token -> token == POISON);
        }
        launchesSinceFailure = fails ? 0 : launchesSinceFailure;
        boolean exhausts = exhaustsMemoryAtCollect.test(step);
        for (StepInput.Item item : step.items()) {
            compute(item, fails || exhausts).ifPresent(sampled::add);
        }
        inFlight.addLast(outcome(step, fails, exhausts, sampled));
    }

    private static Computed outcome(StepInput step, boolean fails, boolean exhausts, List<SampledToken> sampled) {
        if (exhausts) {
            String message = "no room for " + step.tokenCount() + " tokens";
            return new Computed.Failed(new DeviceOutOfMemoryException(message, new RuntimeException("fake")));
        }
        return fails
                ? new Computed.Failed(new StepFailedException("step failed", new RuntimeException("fake")))
                : new Computed.Drawn(new StepOutput(sampled));
    }

    @Override
    public StepOutput collect() {
        if (inFlight.isEmpty()) {
            throw new AssertionError("nothing in flight");
        }
        events.add("collect " + collected++);
        return switch (inFlight.removeFirst()) {
            case Computed.Drawn drawn -> drawn.output();
            case Computed.Failed failed -> throw failed.cause();
        };
    }

    @Override
    public void close() {
        if (!inFlight.isEmpty()) {
            throw new AssertionError("closed with steps in flight: " + inFlight.size());
        }
        closed = true;
    }

    private Optional<SampledToken> compute(StepInput.Item item, boolean fails) {
        int[] tokens = tokens(item);
        for (int i = 0; i < item.count(); i++) {
            write(item, item.start() + i, fails ? GARBAGE : tokens[i]);
        }
        if (item.sample().isEmpty()) {
            return Optional.empty();
        }
        int end = item.start() + item.count();
        int[] prefix = new int[end];
        for (int p = 0; p < end; p++) {
            prefix[p] = read(item, p);
        }
        int token = draw(prefix, item.sample().get());
        newestDraw.put(item.slot(), token);
        return Optional.of(new SampledToken(token, Optional.empty()));
    }

    /** The items' tokens, with the one that only the device knows. */
    private int[] tokens(StepInput.Item item) {
        int[] tokens = Arrays.copyOf(item.tokens(), item.count());
        if (item.tokens().length == item.count() - 1) {
            tokens[item.count() - 1] = Objects.requireNonNull(newestDraw.get(item.slot()));
        }
        return tokens;
    }

    /** The token drawn after a prefix: any function that depends on all of it will do. */
    static int draw(int[] prefix, SampleRequest request) {
        if (request.position() != prefix.length) {
            throw new AssertionError("position=" + request.position() + ", expected=" + prefix.length);
        }
        return draw(prefix, request.seed(), request.allowed().isEmpty());
    }

    static int draw(int[] prefix, long seed, boolean mayEnd) {
        long hash = seed * 0x9E3779B97F4A7C15L + Arrays.hashCode(prefix);
        hash ^= hash >>> 29;
        hash *= 0xBF58476D1CE4E5B9L;
        hash ^= hash >>> 32;
        int token = (int) Math.floorMod(hash, (long) POISON); // never the poison itself
        return token == FakeCodec.END && !mayEnd ? 1 : token;
    }

    private void write(StepInput.Item item, int position, int token) {
        for (int group = 0; group < cache.length; group++) {
            block(item, group, position)[position % limits.blockSize()] = token;
        }
    }

    /** What is cached at a position; all groups must agree. */
    private int read(StepInput.Item item, int position) {
        int token = block(item, 0, position)[position % limits.blockSize()];
        for (int group = 1; group < cache.length; group++) {
            token = block(item, group, position)[position % limits.blockSize()] == token ? token : GARBAGE;
        }
        return token;
    }

    private int[] block(StepInput.Item item, int group, int position) {
        return cache[group][item.blockTables()[group][position / limits.blockSize()]];
    }

    private void check(StepInput step) {
        expect(!step.items().isEmpty(), "a step with items");
        expect(step.items().size() <= limits.maxNumSeqs(), "at most max_num_seqs items");
        expect(step.tokenCount() <= limits.maxNumBatchedTokens(), "at most max_num_batched_tokens tokens");
        Set<Integer> slots = new HashSet<>();
        Set<List<Integer>> blocks = new HashSet<>();
        for (StepInput.Item item : step.items()) {
            expect(slots.add(item.slot()), "one item per slot");
            expect(item.slot() >= 0 && item.slot() < limits.maxNumSeqs(), "a slot below max_num_seqs");
            int known = item.tokens().length;
            expect(known == item.count() || known == item.count() - 1, "count tokens, or one fewer");
            expect(known == item.count() || depth == 2, "every token known where nothing overlaps");
            expect(item.blockTables().length == limits.kvGroups(), "a block table for each group");
            int needed = Math.ceilDiv(item.start() + item.count(), limits.blockSize());
            for (int group = 0; group < limits.kvGroups(); group++) {
                int[] table = item.blockTables()[group];
                expect(table.length == needed, "the blocks of the positions");
                for (int block : table) {
                    expect(blocks.add(List.of(group, block)), "one owner per block");
                }
            }
            expect(item.start() + item.count() < limits.maxModelLen(), "positions below max_model_len");
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected " + what);
        }
    }
}
