package io.millrace.remote.protocol;

import java.io.Serial;

/** An attempt that brought no answer. */
public final class FaultException extends Exception {

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Fault fault;

    public FaultException(Fault fault) {
        super(fault.message());
        this.fault = fault;
    }

    /** A body that is not what the protocol promises. */
    static FaultException broken(String message) {
        return new FaultException(new Fault.Broken(Fault.Kind.BROKEN_BODY, message));
    }

    /** What went wrong. */
    public Fault fault() {
        return fault;
    }
}
