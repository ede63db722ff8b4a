package io.millrace.llm.backend;

import java.io.Serial;

/** A step found no memory, on the device or in the heap. The same tokens may do in smaller steps. */
public final class DeviceOutOfMemoryException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    public DeviceOutOfMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
