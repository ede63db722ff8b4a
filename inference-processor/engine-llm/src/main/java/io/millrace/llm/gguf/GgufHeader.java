package io.millrace.llm.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * Everything before the tensors' data, checked.
 *
 * @param tensorInfoOffset bytes from the start of the file to the first tensor description
 * @param dataOffset bytes from the start of the file to the data of all tensors
 */
record GgufHeader(
        Path file,
        int version,
        GgufMetadata metadata,
        long tensorInfoOffset,
        long dataOffset,
        Map<String, TensorInfo> infos) {

    /** One tensor's description; {@code infoOffset} is where it stands in the file, {@code offset} counts from the data's start. */
    record TensorInfo(long infoOffset, String name, GgmlType type, long[] shape, long offset, long byteSize) {}

    private static final int MAGIC = 0x46554747; // "GGUF" as a little-endian int
    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_METADATA_ENTRIES = 1 << 16;
    private static final int MAX_TENSORS = 1 << 20;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MIN_METADATA_BYTES = 8 + 4 + 1; // key length, type, smallest value
    private static final int MIN_TENSOR_INFO_BYTES =
            8 + 4 + 8 + 4 + 8; // name length, dimensions, one size, type, offset

    static GgufHeader read(Path file, MemorySegment bytes) throws GgufException {
        HeaderReader in = new HeaderReader(file, bytes);
        checkMagic(in);
        int version = readVersion(in);
        int tensorCount = in.readCount("tensor count", MIN_TENSOR_INFO_BYTES, MAX_TENSORS);
        int metadataCount = in.readCount("metadata count", MIN_METADATA_BYTES, MAX_METADATA_ENTRIES);
        GgufMetadata metadata = GgufMetadata.read(file, in, metadataCount);
        refuseSplitFile(metadata);
        long alignment = alignment(metadata);
        long tensorInfoOffset = in.position();
        Map<String, TensorInfo> infos = readInfos(in, tensorCount, alignment);
        long dataOffset = Math.ceilDiv(in.position(), alignment) * alignment;
        GgufHeader header = new GgufHeader(file, version, metadata, tensorInfoOffset, dataOffset, infos);
        header.checkPlaces(bytes.byteSize());
        return header;
    }

    long offsetOf(String tensorName) {
        TensorInfo info = infos.get(tensorName);
        return info == null ? tensorInfoOffset : info.infoOffset();
    }

    /** The tensors by name, in file order, as slices of the file's bytes. */
    Map<String, GgufTensor> tensors(MemorySegment bytes) {
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        for (TensorInfo info : infos.values()) {
            MemorySegment data = bytes.asSlice(dataOffset + info.offset(), info.byteSize());
            tensors.put(info.name(), new GgufTensor(info.name(), info.type(), info.shape(), data));
        }
        return tensors;
    }

    private static void checkMagic(HeaderReader in) throws GgufException {
        int magic = in.readInt("magic");
        if (magic != MAGIC) {
            throw in.failure(0, "a GGUF file, whose first bytes are 47 47 55 46", hex(magic));
        }
    }

    private static String hex(int littleEndian) {
        return String.format(
                "%02x %02x %02x %02x",
                littleEndian & 0xFF, littleEndian >> 8 & 0xFF, littleEndian >> 16 & 0xFF, littleEndian >> 24 & 0xFF);
    }

    private static int readVersion(HeaderReader in) throws GgufException {
        long start = in.position();
        int version = in.readInt("version");
        int swapped = Integer.reverseBytes(version);
        if (swapped == 2 || swapped == 3) {
            throw in.failure(start, "a little-endian file", "a big-endian file of version " + swapped);
        }
        if (version != 2 && version != 3) {
            throw in.failure(start, "version 2 or 3", Integer.toUnsignedString(version));
        }
        return version;
    }

    private static void refuseSplitFile(GgufMetadata metadata) throws GgufException {
        OptionalInt parts = metadata.findInt("split.count");
        if (parts.isPresent() && parts.getAsInt() > 1) {
            throw metadata.failure("split.count", "1 (join the parts first)", "" + parts.getAsInt());
        }
    }

    private static long alignment(GgufMetadata metadata) throws GgufException {
        int alignment = metadata.findInt("general.alignment").orElse(DEFAULT_ALIGNMENT);
        if (alignment <= 0 || Integer.bitCount(alignment) != 1) {
            throw metadata.failure("general.alignment", "a power of two", "" + alignment);
        }
        return alignment;
    }

    private static Map<String, TensorInfo> readInfos(HeaderReader in, int count, long alignment) throws GgufException {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            long start = in.position();
            String name = in.readString("name of tensor " + i);
            long[] shape = readShape(in, name);
            GgmlType type = readType(in, name);
            long byteSize = byteSize(in, name, type, shape);
            long offset = readOffset(in, name, alignment);
            if (infos.put(name, new TensorInfo(start, name, type, shape, offset, byteSize)) != null) {
                throw in.failure(start, "a tensor once", "a second " + name);
            }
        }
        return infos;
    }

    private static long[] readShape(HeaderReader in, String name) throws GgufException {
        long start = in.position();
        int dimensionCount = in.readInt("dimension count of " + name);
        if (dimensionCount < 1 || dimensionCount > MAX_DIMENSIONS) {
            String expected = name + " with 1 to " + MAX_DIMENSIONS + " dimensions";
            throw in.failure(start, expected, Integer.toUnsignedString(dimensionCount));
        }
        long[] shape = new long[dimensionCount];
        for (int i = 0; i < dimensionCount; i++) {
            long at = in.position();
            shape[i] = in.readLong("shape of " + name);
            if (shape[i] < 1) {
                throw in.failure(at, name + " with sizes between 1 and 2^63-1", Long.toUnsignedString(shape[i]));
            }
        }
        return shape;
    }

    private static GgmlType readType(HeaderReader in, String name) throws GgufException {
        long start = in.position();
        int id = in.readInt("type of " + name);
        GgmlType type = GgmlType.byId(id).orElse(null);
        if (type == null) {
            String expected = "tensor " + name + " of a known ggml type";
            throw in.failure(start, expected, "type id " + Integer.toUnsignedString(id));
        }
        return type;
    }

    private static long byteSize(HeaderReader in, String name, GgmlType type, long[] shape) throws GgufException {
        String found = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining("x"));
        if (shape[0] % type.blockSize() != 0) {
            String expected = name + " with rows of whole " + type + " blocks of " + type.blockSize();
            throw in.failure(in.position(), expected, found);
        }
        try {
            return type.bytesOf(Arrays.stream(shape).reduce(1, Math::multiplyExact));
        } catch (ArithmeticException e) {
            GgufException failure = in.failure(in.position(), name + " of less than 2^63 bytes", found);
            failure.initCause(e);
            throw failure;
        }
    }

    private static long readOffset(HeaderReader in, String name, long alignment) throws GgufException {
        long start = in.position();
        long offset = in.readLong("offset of " + name);
        if (offset < 0 || offset % alignment != 0) {
            String expected = "offset of " + name + " as a multiple of " + alignment;
            throw in.failure(start, expected, Long.toUnsignedString(offset));
        }
        return offset;
    }

    /** Each tensor lies within the file, and none on another. */
    private void checkPlaces(long fileBytes) throws GgufException {
        List<TensorInfo> byOffset = infos.values().stream()
                .sorted(Comparator.comparingLong(TensorInfo::offset))
                .toList();
        long dataBytes = Math.max(0, fileBytes - dataOffset);
        long free = 0;
        for (TensorInfo info : byOffset) {
            if (info.byteSize() > dataBytes - info.offset()) {
                String expected =
                        "tensor " + info.name() + " of " + info.byteSize() + " bytes at data offset " + info.offset();
                throw new GgufException(file, info.infoOffset(), expected, "data of " + dataBytes + " bytes");
            }
            if (info.offset() < free) {
                String expected = "tensor " + info.name() + " at data offset " + free + " or later";
                throw new GgufException(file, info.infoOffset(), expected, "" + info.offset());
            }
            free = info.offset() + info.byteSize();
        }
    }
}
