package io.millrace.devstack;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Proves rows of the failure matrix: {@code @MatrixRow("zombie under traffic")}, on a test or on a class of tests.
 *
 * <p>Names are those of {@link Fault}, written out as string literals: they are also looked for in the sources. {@code make matrix}
 * runs these tests (JUnit tag {@code matrix}) and writes the table.
 */
@Documented
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("matrix")
public @interface MatrixRow {

    /** Names of faults, see {@link Fault#row}. */
    String[] value();
}
