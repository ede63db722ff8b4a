package io.millrace.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Of a terminal.
 *
 * @param columns at least 1
 * @param rows at least 1
 */
record ScreenSize(int columns, int rows) {

    private static final File TERMINAL = new File("/dev/tty");
    private static final Pattern ROWS_AND_COLUMNS = Pattern.compile("([1-9]\\d{0,4}) ([1-9]\\d{0,4})\\s*");
    private static final int USUAL_ROWS = 24;
    private static final long PATIENCE_MS = 500;

    /** As it is now: people change it. Java cannot ask, {@code stty} can. Where it cannot either, {@code columns} it is. */
    static ScreenSize now(int columns) {
        var usual = new ScreenSize(columns, USUAL_ROWS);
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(TERMINAL)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
                stty.destroyForcibly();
                return usual;
            }
            return parse(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII), usual);
        } catch (IOException e) {
            return usual;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return usual;
        }
    }

    /** What {@code stty size} prints; it says 0 where nobody has told the terminal's size. */
    static ScreenSize parse(String printed, ScreenSize otherwise) {
        Matcher matcher = ROWS_AND_COLUMNS.matcher(printed);
        return matcher.matches()
                ? new ScreenSize(Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(1)))
                : otherwise;
    }
}
