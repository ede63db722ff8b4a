package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.remote.EventStream.Format;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventStreamTest {

    private static List<String> read(InputStream in, Format format) throws IOException {
        EventStream events = new EventStream(in, format);
        List<String> data = new ArrayList<>();
        for (Optional<String> next = events.next(); next.isPresent(); next = events.next()) {
            data.add(next.get());
        }
        return data;
    }

    /** As it comes over a slow line. */
    private static InputStream byteByByte(byte[] bytes) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] into, int offset, int length) {
                return super.read(into, offset, Math.min(length, 1));
            }
        };
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "each line end | data: a~n~ndata: b~r~n~r~ndata: c~r~rdata: d~n~r~n | a,b,c,d",
                "a line end of CR and LF counts once | data: a~r~ndata: b~r~n~r~n | a^b",
                "several lines | data: a~ndata:  b~ndata:c~n~n | a^ b^c",
                "no space, and no data at all | data:a~n~ndata:~n~ndata: b~n~n | a,,b",
                "other fields and comments | : hi~nevent: x~nid: 7~n~nretry: 1~ndata: a~nevent: y~n~n: bye~n~n | a",
                "empty lines | ~n~n~n~ndata: a~n~n~n~n~n | a",
                "an unfinished event | data: a~n~ndata: b~n | a",
                "an unfinished line | data: a~n~ndata: b | a",
                "more than ASCII | data: für 漢字~n~n | für 漢字",
            })
    void shouldFindTheDataOfEvents(String name, String stream, String expected) throws IOException {
        shouldRead(stream, Format.SERVER_SENT, expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "each line end | a~nb~r~nc~rd~n | a,b,c,d",
                "empty lines, and blank ones | ~na~n~n ~r~n~nb~n~n | a,b",
                "no end of the last line | a~n~nb | a,b",
                "a field of the other kind | data: a~n | data: a",
                "more than ASCII | für 漢字~n | für 漢字",
            })
    void shouldFindTheLines(String name, String stream, String expected) throws IOException {
        shouldRead(stream, Format.LINES, expected);
    }

    private static void shouldRead(String stream, Format format, String expected) throws IOException {
        byte[] bytes = stream.replace("~n", "\n").replace("~r", "\r").getBytes(StandardCharsets.UTF_8);
        List<String> data = List.of(expected.replace('^', '\n').split(",", -1));

        assertThat(read(new ByteArrayInputStream(bytes), format)).isEqualTo(data);
        assertThat(read(byteByByte(bytes), format)).isEqualTo(data);
    }

    @ParameterizedTest
    @CsvSource({
        "text/event-stream, SERVER_SENT",
        "text/event-stream;charset=utf-8, SERVER_SENT",
        "application/jsonlines, LINES",
        "Application/JSONLines; charset=utf-8, LINES",
        "application/x-ndjson, LINES",
        "application/json,",
        "application/jsonlinesque,",
        "'',",
    })
    void shouldKnowAStreamByItsType(String type, @Nullable Format format) {
        assertThat(Format.of(type)).isEqualTo(Optional.ofNullable(format));
    }
}
