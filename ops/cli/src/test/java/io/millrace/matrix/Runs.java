package io.millrace.matrix;

import io.millrace.architecture.Checkout;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** How tests went, read from JUnit's XML reports: {@code target/surefire-reports/TEST-*.xml} of each module. */
final class Runs {

    /** Of all invocations of a method, the worst. In order of badness. */
    enum Outcome {
        PASSED,
        SKIPPED,
        FAILED,
        NOT_RUN;

        String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * One method with all its invocations.
     *
     * @param seconds of all of them together
     */
    record Run(Outcome outcome, double seconds) {

        static final Run NONE = new Run(Outcome.NOT_RUN, 0);

        Run and(Run other) {
            return new Run(outcome.compareTo(other.outcome) > 0 ? outcome : other.outcome, seconds + other.seconds);
        }
    }

    private final Map<String, Run> byTest = new TreeMap<>();

    private Runs() {}

    static Runs of(Checkout checkout) {
        Runs runs = new Runs();
        try (Stream<Path> all = Files.walk(checkout.root())) {
            List<Path> reports = all.filter(Runs::isReport).toList();
            for (Path report : reports) {
                runs.read(report.toFile());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("reports of tests", e);
        }
        return runs;
    }

    static Runs of(List<File> reports) {
        Runs runs = new Runs();
        reports.forEach(runs::read);
        return runs;
    }

    Run of(RowTest test) {
        return byTest.getOrDefault(key(test.className(), test.method()), Run.NONE);
    }

    private static boolean isReport(Path path) {
        return path.toString().replace(File.separatorChar, '/').matches(".*/target/surefire-reports/TEST-[^/]*\\.xml");
    }

    private void read(File report) {
        for (Element testCase : elements(parse(report).getElementsByTagName("testcase"))) {
            Run run = new Run(outcome(testCase), Double.parseDouble(testCase.getAttribute("time")));
            byTest.merge(key(testCase.getAttribute("classname"), methodOf(testCase)), run, Run::and);
        }
    }

    /** {@code should(Loss)[1]} and the like. */
    private static String methodOf(Element testCase) {
        return testCase.getAttribute("name").replaceFirst("[^\\p{L}\\p{N}_$].*", "");
    }

    private static Outcome outcome(Element testCase) {
        if (has(testCase, "failure") || has(testCase, "error")) {
            return Outcome.FAILED;
        }
        return has(testCase, "skipped") ? Outcome.SKIPPED : Outcome.PASSED;
    }

    private static boolean has(Element testCase, String child) {
        return testCase.getElementsByTagName(child).getLength() > 0;
    }

    private static Document parse(File report) {
        try {
            DocumentBuilder builder = DocumentBuilderFactory.newNSInstance().newDocumentBuilder();
            return builder.parse(report);
        } catch (IOException | ParserConfigurationException | SAXException e) {
            throw new IllegalStateException("report=" + report + ", expected=JUnit's XML", e);
        }
    }

    private static List<Element> elements(NodeList nodes) {
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static String key(String className, String method) {
        return className + "#" + method;
    }
}
