package io.millrace.schemas.serde;

import io.millrace.schemas.serde.WireFormat.Frame;
import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.io.EOFException;
import java.io.IOException;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a record from Avro in Confluent's wire format, in its prefix or its header form. The first record of each writer schema asks the
 * registry for it; later ones do not leave the process. Safe for many threads.
 */
public final class AvroRecordDeserializer<T extends SpecificRecord> implements Deserializer<T> {

    private final SchemaRegistry registry;
    private final SpecificData model;
    private final Schema schema;
    private final BoundedCache<SchemaRef, DatumReader<T>> readers = new BoundedCache<>();

    AvroRecordDeserializer(Class<T> type, SchemaRegistry registry) {
        AvroClasses.permit();
        this.registry = registry;
        this.model = SpecificData.getForClass(type);
        this.schema = model.getSchema(type);
    }

    @Override
    public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
        return deserialize(topic, null, bytes);
    }

    /**
     * Reads a record.
     *
     * @throws SerializationException if the bytes are no record of this kind, or the registry does not know their schema
     * @throws RegistryUnavailableException if the schema could not be asked for; a later try may succeed
     */
    @Override
    public @Nullable T deserialize(String topic, @Nullable Headers headers, byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        Frame frame = WireFormat.parse(headers, bytes);
        DatumReader<T> reader = readers.get(frame.schema(), this::reader);
        BinaryDecoder decoder =
                DecoderFactory.get().binaryDecoder(bytes, frame.from(), bytes.length - frame.from(), null);
        T record = decode(reader, decoder, frame);
        if (decoder.remainingBytes() > 0) {
            throw undecodable(frame, decoder.remainingBytes() + " bytes are left over", null);
        }
        return record;
    }

    @Override
    public void close() {
        registry.close();
    }

    private DatumReader<T> reader(SchemaRef ref) {
        return new SpecificDatumReader<>(registry.byRef(ref), schema, model);
    }

    private T decode(DatumReader<T> reader, BinaryDecoder decoder, Frame frame) {
        try {
            return reader.read(null, decoder);
        } catch (EOFException e) {
            throw undecodable(frame, "it ends early", e);
        } catch (IOException | RuntimeException e) { // Avro fails in many ways, by what the bytes are
            throw undecodable(frame, String.valueOf(e.getMessage()), e);
        }
    }

    private SerializationException undecodable(Frame frame, String reason, @Nullable Throwable cause) {
        return new SerializationException(
                "value of " + (frame.bytes().length - frame.from()) + " bytes with " + frame.schema()
                        + ", expected=Avro of " + schema.getFullName() + ": " + reason,
                cause);
    }
}
