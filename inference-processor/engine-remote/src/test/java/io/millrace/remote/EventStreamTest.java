package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventStreamTest {

    private static List<String> read(InputStream in) throws IOException {
        EventStream events = new EventStream(in);
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
        byte[] bytes = stream.replace("~n", "\n").replace("~r", "\r").getBytes(StandardCharsets.UTF_8);
        List<String> data = List.of(expected.replace('^', '\n').split(",", -1));

        assertThat(read(new ByteArrayInputStream(bytes))).isEqualTo(data);
        assertThat(read(byteByByte(bytes))).isEqualTo(data);
    }
}
