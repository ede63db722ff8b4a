package io.millrace.devstack;

import java.lang.reflect.InvocationTargetException;

/** The registry's own main, in a JVM that ends with the one that started it. */
public final class RegistryMain {

    /** What its jar's manifest names. */
    private static final String REGISTRY = "io.quarkus.bootstrap.runner.QuarkusEntryPoint";

    private RegistryMain() {}

    public static void main(String[] args)
            throws ClassNotFoundException, NoSuchMethodException, IllegalAccessException, InvocationTargetException {
        ParentWatch.start(line -> {});
        Class.forName(REGISTRY).getMethod("main", String[].class).invoke(null, (Object) args);
    }
}
