package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.kafka.common.errors.SerializationException;

/** A registry within this JVM, for tests: {@code mock://scope}. Serdes of one scope share it. Guarded by itself. */
final class MockSchemaRegistry implements SchemaRegistry {

    private static final Map<String, MockSchemaRegistry> SCOPES = new ConcurrentHashMap<>();

    private final String scope;
    private final List<Schema> schemas = new ArrayList<>(); // the schema of id i is at i - 1
    private final Map<String, List<Schema>> subjects = new HashMap<>();

    private MockSchemaRegistry(String scope) {
        this.scope = scope;
    }

    static MockSchemaRegistry scope(String scope) {
        return SCOPES.computeIfAbsent(scope, MockSchemaRegistry::new);
    }

    @Override
    public synchronized int register(String subject, Schema schema) {
        List<Schema> versions = subjects.computeIfAbsent(subject, any -> new ArrayList<>());
        if (!versions.contains(schema)) {
            versions.add(schema);
        }
        if (!schemas.contains(schema)) {
            schemas.add(schema);
        }
        return id(schema);
    }

    @Override
    public synchronized int idOf(String subject, Schema schema) {
        if (!subjects.getOrDefault(subject, List.of()).contains(schema)) {
            throw unknown("subject=" + subject, "one with the schema of " + schema.getFullName());
        }
        return id(schema);
    }

    @Override
    public synchronized Registered latest(String subject) {
        List<Schema> versions = subjects.get(subject);
        if (versions == null) {
            throw unknown("subject=" + subject, "one that is registered");
        }
        return new Registered(id(versions.getLast()), versions.getLast());
    }

    @Override
    public synchronized Schema byRef(SchemaRef ref) {
        return schemas.stream()
                .filter(schema -> switch (ref) {
                    case SchemaRef.Id(int id) -> id(schema) == id;
                    case SchemaRef.Guid(UUID guid) -> guid(schema).equals(guid);
                })
                .findFirst()
                .orElseThrow(() -> unknown(ref.toString(), "one that is registered"));
    }

    @Override
    public void close() {
        // shared by all serdes of the scope
    }

    static UUID guid(Schema schema) {
        return UUID.nameUUIDFromBytes(schema.toString().getBytes(UTF_8));
    }

    private int id(Schema schema) {
        return schemas.indexOf(schema) + 1;
    }

    private SerializationException unknown(String what, String expected) {
        return new SerializationException(what + ", expected=" + expected + " in mock://" + scope);
    }
}
