package io.millrace.remote.protocol;

import io.millrace.engine.InferenceRequest;

/** A way to ask a model server. Any thread may use it. */
public sealed interface Protocol permits OpenAiProtocol, OpenInferenceProtocol {

    /** Characters of a prompt by which endpoints are chosen for their prefix caches: a system prompt's length, about. */
    int PREFIX_CHARS = 1024;

    /**
     * What to send for a request.
     *
     * @throws io.millrace.engine.InvalidRequestException when the protocol cannot say it
     */
    ServerCall call(InferenceRequest request);
}
