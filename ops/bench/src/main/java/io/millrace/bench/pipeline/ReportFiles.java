package io.millrace.bench.pipeline;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.millrace.bench.Plot;
import io.millrace.bench.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A report as files: {@code NAME.json}, {@code NAME.md}, {@code NAME.png}.
 *
 * @param json one object
 * @param markdown tables, for people
 * @param panels of the picture
 */
public record ReportFiles(String name, String json, String markdown, List<Plot.Panel> panels) {

    private static final double MILLIS_PER_SECOND = 1e3;

    private static final ObjectMapper MAPPER = new ObjectMapper()
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .registerModule(new SimpleModule()
                    .addSerializer(Sample.class, new SampleWriter())
                    .addSerializer(Duration.class, new SecondsWriter())
                    .addSerializer(OptionalDouble.class, new OptionalWriter()));

    public ReportFiles {
        panels = List.copyOf(panels);
    }

    static ReportFiles of(String name, Record report, String markdown, List<Plot.Panel> panels) throws IOException {
        return new ReportFiles(name, MAPPER.writeValueAsString(report), markdown, panels);
    }

    /** Writes all three into a folder, which is created where there is none. */
    public void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(name + ".json"), json + "\n");
        Files.writeString(folder.resolve(name + ".md"), markdown);
        Plot.write(folder.resolve(name + ".png"), panels);
    }

    /** The heading above a table of throughput. */
    static String heading(Plan.Burst burst) {
        return String.format(
                Locale.ROOT,
                "## Throughput: %d prompts of %d words, %s tokens each, all there at the start%n%n",
                burst.prompts(),
                burst.words(),
                burst.tokens());
    }

    /** The median, the least and the most. */
    static String spread(Sample sample, int decimals) {
        return number(sample.median(), decimals) + " (" + number(sample.least(), decimals) + " to "
                + number(sample.most(), decimals) + ")";
    }

    private static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** Latency by percentiles. */
    static Plot.Line line(String name, PipelineReport.Latency latency) {
        double[] values = latency.percentiles();
        double[] percents = IntStream.range(0, values.length).asDoubleStream().toArray();
        return new Plot.Line(name, percents, values);
    }

    private static final class SampleWriter extends JsonSerializer<Sample> {
        @Override
        public void serialize(Sample sample, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeStartObject();
            json.writeNumberField("median", sample.median());
            json.writeNumberField("min", sample.least());
            json.writeNumberField("max", sample.most());
            json.writeFieldName("values");
            json.writeArray(sample.values(), 0, sample.values().length);
            json.writeEndObject();
        }
    }

    private static final class SecondsWriter extends JsonSerializer<Duration> {
        @Override
        public void serialize(Duration time, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeNumber(time.toMillis() / MILLIS_PER_SECOND);
        }
    }

    private static final class OptionalWriter extends JsonSerializer<OptionalDouble> {
        @Override
        public void serialize(OptionalDouble value, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            if (value.isPresent()) {
                json.writeNumber(value.getAsDouble());
            } else {
                json.writeNull();
            }
        }
    }
}
