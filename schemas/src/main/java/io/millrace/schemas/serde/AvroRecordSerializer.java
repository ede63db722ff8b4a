package io.millrace.schemas.serde;

import io.millrace.schemas.serde.SchemaRegistry.Registered;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a record as Avro in Confluent's wire format. The first record of each topic asks the registry for the schema's id; later ones
 * do not leave the process. Safe for many threads.
 */
public final class AvroRecordSerializer<T extends SpecificRecord> implements Serializer<T> {

    private final RegistryConfig config;
    private final SchemaRegistry registry;
    private final Schema generated;
    private final Schema portable;
    private final SpecificDatumWriter<T> writer;
    private final BoundedCache<String, Target> targets = new BoundedCache<>();

    /** The id to write, and the schema to write with where it is not the record's own. */
    private record Target(int id, Optional<Schema> other) {}

    AvroRecordSerializer(Class<T> type, RegistryConfig config, SchemaRegistry registry) {
        AvroClasses.permit();
        SpecificData model = SpecificData.getForClass(type);
        this.config = config;
        this.registry = registry;
        this.generated = model.getSchema(type);
        this.portable = PortableSchema.of(generated);
        this.writer = new SpecificDatumWriter<>(generated, model);
    }

    @Override
    public byte @Nullable [] serialize(String topic, @Nullable T record) {
        return serialize(topic, null, record);
    }

    /**
     * Writes the record, and takes a schema header out of {@code headers} that was passed on from another record.
     *
     * @throws SerializationException if the record lacks a required field, or the registry refuses the schema
     * @throws RegistryUnavailableException if the schema's id could not be asked for; a later try may succeed
     */
    @Override
    public byte @Nullable [] serialize(String topic, @Nullable Headers headers, @Nullable T record) {
        StaleHeaders.remove(headers);
        if (record == null) {
            return null;
        }
        String subject = config.subjectNameStrategy().subject(topic, portable);
        Target target = targets.get(subject, this::target);
        byte[] own = encode(writer, record, target.id());
        return target.other().isEmpty()
                ? own
                : transcode(own, target.id(), target.other().get());
    }

    @Override
    public void close() {
        registry.close();
    }

    private Target target(String subject) {
        return switch (config.registration()) {
            case AUTO -> new Target(registry.register(subject, portable), Optional.empty());
            case LOOK_UP -> new Target(registry.idOf(subject, portable), Optional.empty());
            case USE_LATEST -> latest(subject);
        };
    }

    private Target latest(String subject) {
        Registered latest = registry.latest(subject);
        if (latest.schema().equals(portable)) {
            return new Target(latest.id(), Optional.empty());
        }
        SchemaCompatibilityType compatibility = SchemaCompatibility.checkReaderWriterCompatibility(
                        latest.schema(), portable)
                .getType();
        if (compatibility != SchemaCompatibilityType.COMPATIBLE) {
            throw new SerializationException("subject=" + subject + ", expected=a latest schema that reads "
                    + portable.getFullName() + " of this release (schema id=" + latest.id() + " does not)");
        }
        return new Target(latest.id(), Optional.of(latest.schema()));
    }

    private static <D> byte[] encode(DatumWriter<D> writer, D datum, int id) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(WireFormat.MAGIC_ID);
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        try {
            writer.write(datum, encoder);
            encoder.flush();
        } catch (IOException | AvroRuntimeException | ClassCastException | NullPointerException e) {
            throw new SerializationException("record cannot be written as Avro: " + e.getMessage(), e);
        }
        return bytes.toByteArray();
    }

    /** Reads what we wrote as the other schema sees it, and writes that. */
    private byte[] transcode(byte[] own, int id, Schema other) {
        GenericDatumReader<Object> reader = new GenericDatumReader<>(portable, other, new GenericData());
        int from = WireFormat.PREFIX_BYTES;
        try {
            Object datum = reader.read(null, DecoderFactory.get().binaryDecoder(own, from, own.length - from, null));
            return encode(new GenericDatumWriter<>(other, new GenericData()), datum, id);
        } catch (IOException | AvroRuntimeException e) {
            throw new SerializationException(
                    "record cannot be written with schema id=" + id + ": " + e.getMessage(), e);
        }
    }
}
