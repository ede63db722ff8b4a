package io.millrace.schemas.serde;

import io.millrace.schemas.PromptRequest;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * Lets Avro instantiate the generated records. Since 1.12.2 Avro refuses every class that nobody vouched for ({@code
 * SecurityException: Forbidden}). Programs that read the records with Avro alone set {@code
 * -Dorg.apache.avro.SERIALIZABLE_PACKAGES=io.millrace.schemas}.
 */
final class AvroClasses {

    private static final String RECORDS_PACKAGE = PromptRequest.class.getPackageName();

    static {
        // once per JVM, as the class is initialized once; whom the program trusts already stays trusted
        ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(
                ClassSecurityValidator.getGlobal(),
                type -> type.getPackageName().equals(RECORDS_PACKAGE)));
    }

    private AvroClasses() {}

    /** Adds the records' package to what Avro trusts, if that has not been done. */
    static void permit() {
        // the work is the class's initializer
    }
}
