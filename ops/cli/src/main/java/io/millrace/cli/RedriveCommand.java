package io.millrace.cli;

import io.millrace.cli.redrive.Candidate;
import io.millrace.cli.redrive.Edits;
import io.millrace.cli.redrive.Redrive;
import io.millrace.cli.redrive.Redrive.From;
import io.millrace.cli.redrive.Redrive.Mode;
import io.millrace.cli.redrive.Redrive.Report;
import io.millrace.cli.redrive.Selection;
import io.millrace.schemas.FailureCode;
import io.millrace.streams.config.TopicSettings;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code millrace redrive}: failures or dead letters back to the prompts topic. */
@Command(
        name = "redrive",
        description = {
            "Sends prompts that failed, or that could not be decoded, to the prompts topic again.",
            "",
            "Each failure is redriven once: the same command, run twice or after a kill, sends only what is left; a prompt that fails"
                    + " again is a new failure. CANCELLED and DUPLICATE_REQUEST are redriven only where --code names them. A redriven"
                    + " prompt keeps key, headers and partition, and has the headers millrace.redrive.of (its failure) and"
                    + " millrace.redrive.count.",
            "",
            "Prompts are read from the prompts topic; those that retention has taken are named on stderr and make the exit code 4."
        },
        footer = {
            "",
            "Examples:",
            "  millrace redrive --from failures --code ENGINE_ERROR --since 2h --dry-run",
            "  millrace redrive --from failures --code CONTEXT_LENGTH_EXCEEDED --job nightly --set max_tokens=64",
            "  millrace redrive --from failures --code DEADLINE_EXCEEDED --unset deadline --limit 1000",
            "  millrace redrive --from dead-letters --since 2026-11-24T08:00:00Z --until 2026-11-24T09:30:00Z"
        })
final class RedriveCommand implements Callable<Integer> {

    private static final int PIPED_COLUMNS = 160;
    private static final int TABLE_ROWS = 500;

    /** Refusals that are named one by one. */
    private static final int NAMED = 20;

    private static final Pattern AGO = Pattern.compile("(\\d{1,9})([smhd])");

    private final Session session;

    @Option(names = "--from", paramLabel = "TOPIC", required = true, description = "failures or dead-letters.")
    String from = "";

    @Option(names = "--code", paramLabel = "CODE", split = ",", description = "Only failures with these codes.")
    List<FailureCode> codes = new ArrayList<>();

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description =
                    "Only what failed at this time or later: 2026-11-24T10:00:00Z, or how long ago: 90s, 30m, 2h, 7d.")
    @Nullable
    String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Only what failed before this time.")
    @Nullable
    String until;

    @Option(names = "--job", paramLabel = "ID", description = "Only failures with this job_id.")
    @Nullable
    String job;

    @Option(names = "--tenant", paramLabel = "TENANT", description = "Only failures of this tenant.")
    @Nullable
    String tenant;

    @Option(
            names = "--set",
            paramLabel = "FIELD=VALUE",
            description = "Give this field of the prompts another value: text, else JSON. May be given several times.")
    List<String> sets = new ArrayList<>();

    @Option(
            names = "--unset",
            paramLabel = "FIELD",
            description = "Take this field out of the prompts. May be given several times.")
    List<String> unsets = new ArrayList<>();

    @Option(names = "--limit", paramLabel = "N", description = "Send at most N prompts.")
    @Nullable
    Long limit;

    @Option(names = "--dry-run", description = "Only show what would be sent.")
    boolean dryRun;

    @Option(
            names = "--include-expired",
            description =
                    "Also dead letters whose prompts have expired, of which none can tell whether they were redriven.")
    boolean includeExpired;

    RedriveCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws InterruptedException {
        Redrive.Order order = order(Instant.now());
        TopicSettings topics = session.config().topics();
        Map<String, Object> kafka = KafkaAccess.properties(session.config());
        KafkaAccess.require(kafka, topics.prompts(), topics.failures(), topics.deadLetters());
        var progress = new Told();
        Report report;
        try {
            report = new Redrive(kafka, topics, session.config().applicationId() + "-redrive", order, progress).run();
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        } finally {
            progress.finish();
        }
        session.terminal().err().println(summary(report, topics.prompts()));
        return (report.refused() > 0 ? ExitCode.INPUT : ExitCode.OK).value;
    }

    private Redrive.Order order(Instant now) {
        From source = source();
        if (source == From.DEAD_LETTERS) {
            refuseWithDeadLetters("--code", !codes.isEmpty());
            refuseWithDeadLetters("--job", job != null);
            refuseWithDeadLetters("--tenant", tenant != null);
            refuseWithDeadLetters("--set", !sets.isEmpty());
            refuseWithDeadLetters("--unset", !unsets.isEmpty());
        }
        if (limit != null && limit < 1) {
            throw new CliException(ExitCode.USAGE, "--limit=" + limit + ", expected=1 or more");
        }
        var selection = new Selection(
                Set.copyOf(codes),
                Optional.ofNullable(since).map(text -> time("--since", text, now)),
                Optional.ofNullable(until).map(text -> time("--until", text, now)),
                Optional.ofNullable(job),
                Optional.ofNullable(tenant));
        return new Redrive.Order(
                source,
                selection,
                edits(),
                limit == null ? Long.MAX_VALUE : limit,
                dryRun ? Mode.DRY_RUN : Mode.FOR_REAL,
                includeExpired ? Redrive.Expired.REDRIVEN : Redrive.Expired.LEFT);
    }

    private From source() {
        return switch (from) {
            case "failures" -> From.FAILURES;
            case "dead-letters" -> From.DEAD_LETTERS;
            default -> throw new CliException(ExitCode.USAGE, "--from=" + from + ", expected=failures or dead-letters");
        };
    }

    private Edits edits() {
        try {
            return Edits.of(sets, unsets);
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    private static void refuseWithDeadLetters(String option, boolean given) {
        if (given) {
            throw new CliException(
                    ExitCode.USAGE,
                    option
                            + " with --from=dead-letters, expected=without it: their bytes are no prompt that could be read");
        }
    }

    static Instant time(String option, String text, Instant now) {
        Matcher ago = AGO.matcher(text);
        if (ago.matches()) {
            long count = Long.parseLong(ago.group(1));
            return now.minus(
                    switch (ago.group(2)) {
                        case "s" -> Duration.ofSeconds(count);
                        case "m" -> Duration.ofMinutes(count);
                        case "h" -> Duration.ofHours(count);
                        default -> Duration.ofDays(count);
                    });
        }
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    option + "=" + text
                            + ", expected=a time with its zone as 2026-11-24T10:00:00Z, or how long ago: 90s, 30m, 2h, 7d",
                    e);
        }
    }

    private String summary(Report report, String prompts) {
        String verb = dryRun ? "Would redrive " : "Redrove ";
        String kind = from.equals("failures") ? " failures" : " dead letters";
        long left = report.selected() - report.before() - report.redriven() - report.refused();
        return verb + report.redriven() + " of " + report.selected() + kind + " to " + prompts
                + (report.before() == 0 ? "" : ", " + report.before() + " were redriven before")
                + (report.refused() == 0 ? "" : ", " + report.refused() + " cannot be")
                + (left == 0 ? "" : ", " + left + " are left by --limit");
    }

    /** Rows for a dry run, lines for what cannot be. */
    private final class Told implements Redrive.Listener {

        private final Table table =
                new Table().column("FAILURE").column("CODE").column("PROMPT").column("REQUEST");
        private boolean headed;
        private long refused;

        @Override
        public void redriven(Candidate candidate) {
            if (!dryRun) {
                return;
            }
            table.row(candidate.id(), candidate.code(), candidate.prompt(), candidate.requestId());
            if (table.size() >= TABLE_ROWS) {
                print();
            }
        }

        @Override
        public void refused(Candidate candidate, String why) {
            refused++;
            if (refused <= NAMED) {
                session.terminal()
                        .err()
                        .println("millrace: " + candidate.id() + " (prompt " + candidate.prompt() + "): " + why);
            }
        }

        void finish() {
            print();
            if (refused > NAMED) {
                session.terminal().err().println("millrace: and " + (refused - NAMED) + " more");
            }
        }

        private void print() {
            if (!table.isEmpty()) {
                table.print(
                        session.terminal().out(),
                        session.terminal().outColumns().orElse(PIPED_COLUMNS),
                        headed ? Table.Head.HIDDEN : Table.Head.SHOWN);
                table.clear();
                headed = true;
            }
        }
    }
}
