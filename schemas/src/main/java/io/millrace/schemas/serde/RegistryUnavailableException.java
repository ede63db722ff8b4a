package io.millrace.schemas.serde;

import java.io.Serial;
import org.apache.kafka.common.errors.RetriableException;

/**
 * The schema registry gave no usable answer: not reached, overloaded, refusing our credentials, or not a registry at all. It says
 * nothing about the record: keep the record and try again later.
 */
public final class RegistryUnavailableException extends RetriableException {

    @Serial
    private static final long serialVersionUID = 1L;

    public RegistryUnavailableException(String message) {
        super(message);
    }

    public RegistryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
