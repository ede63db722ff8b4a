package io.millrace.llm.backend;

/** Keys and values of all layers on a backend, f16, in blocks that block tables point to. */
public interface KvCache {

    KvShape shape();
}
