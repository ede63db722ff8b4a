package io.millrace.bench.pipeline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * When each prompt of a run ended, and with which answer. A second ending of a prompt, or a failure, fails the run: what is
 * wrong is not timed.
 *
 * <p>Threads: engine or reading threads add; the measuring thread waits. The monitor guards everything.
 */
final class Endings {

    /**
     * An answer.
     *
     * @param engineMs milliseconds from the prompt's admission to its completion in the engine
     */
    record Answer(String text, double engineMs) {}

    private final long[] nanos; // [prompts], of System.nanoTime
    private final @Nullable Answer[] answers; // [prompts]
    private final CompletableFuture<Boolean> all = new CompletableFuture<>();
    private int left;

    /** @param count prompts of the run, at least 1 */
    Endings(int count) {
        nanos = new long[count];
        answers = new Answer[count];
        left = count;
    }

    synchronized void ended(int index, long atNanos, Answer answer) {
        if (index >= answers.length || answers[index] != null) {
            failed("prompt=" + index + ", expected=one ending of each of " + answers.length);
            return;
        }
        answers[index] = answer;
        nanos[index] = atNanos;
        left--;
        if (left == 0) {
            all.complete(true);
        }
    }

    void failed(String what) {
        all.completeExceptionally(new UnansweredException(what));
    }

    /**
     * Waits for all.
     *
     * @throws UnansweredException one failed, ended twice, or not in time
     */
    void await(Duration patience) throws InterruptedException {
        try {
            all.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw failure();
        } catch (TimeoutException e) {
            synchronized (this) {
                throw new UnansweredException(
                        "prompts without an ending=" + left + ", expected=0 within " + patience, e);
            }
        }
    }

    /**
     * Whether the first so many have ended, where it is not known from the beginning how many there will be.
     *
     * @throws UnansweredException one failed or ended twice
     */
    synchronized boolean haveEnded(int count) {
        if (all.isCompletedExceptionally()) {
            throw failure();
        }
        return answers.length - left >= count;
    }

    private UnansweredException failure() {
        Throwable why = all.exceptionNow();
        return new UnansweredException(String.valueOf(why.getMessage()), why);
    }

    synchronized long nanos(int index) {
        return nanos[index];
    }

    /** In the prompts' order, once all have ended. */
    synchronized List<Answer> answers() {
        List<Answer> list = new ArrayList<>(answers.length);
        for (Answer answer : answers) {
            list.add(Objects.requireNonNull(answer));
        }
        return list;
    }
}
