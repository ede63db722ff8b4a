package io.millrace.modelstore;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/** Held by the one who fetches a model: against other threads of this process by a lock, against other processes by a file's. */
final class ModelLock implements AutoCloseable {
    // a file lock belongs to the whole process; bounded by the number of models that one process names
    private static final ConcurrentMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final ReentrantLock threads;
    private final FileChannel channel;

    private ModelLock(ReentrantLock threads, FileChannel channel) {
        this.threads = threads;
        this.channel = channel;
    }

    /**
     * Waits for the lock.
     *
     * @param onWait called once if somebody else has it
     */
    static ModelLock acquire(Path file, Runnable onWait) throws IOException {
        ReentrantLock threads = THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), path -> new ReentrantLock());
        boolean waited = !threads.tryLock();
        if (waited) {
            onWait.run();
            lockInterruptibly(threads);
        }
        try {
            return new ModelLock(threads, lockFile(file, waited ? () -> {} : onWait));
        } catch (IOException | RuntimeException e) {
            threads.unlock();
            throw e;
        }
    }

    private static void lockInterruptibly(ReentrantLock threads) throws InterruptedIOException {
        try {
            threads.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while another thread fetches the model");
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // the channel holds the lock and is closed with it
    private static FileChannel lockFile(Path file, Runnable onWait) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw Disk.explain(file, e);
        }
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                onWait.run();
                channel.lock();
            }
            return channel;
        } catch (FileLockInterruptionException e) {
            channel.close();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while another process fetches the model");
        } catch (IOException e) {
            channel.close();
            throw new ModelStoreException(
                    "cannot lock " + file + " (" + e.getMessage()
                            + "); set MILLRACE_HOME to a file system that has file locks",
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            threads.unlock();
        }
    }
}
