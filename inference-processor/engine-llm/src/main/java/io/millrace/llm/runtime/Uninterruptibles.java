package io.millrace.llm.runtime;

/** Waiting that an interrupt does not cut short. */
final class Uninterruptibles {

    private Uninterruptibles() {}

    /** Waits until a thread has ended; an interrupt stays pending. */
    static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
