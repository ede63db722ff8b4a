package io.millrace.streams.app;

import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.pending.PendingStore;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Gives the prompts topic more partitions, and all that must have as many. A changelog cannot be grown, since its entries
 * would stay where they are: it is deleted while it is empty, and created again.
 *
 * <p>In this order, each step of which leaves topics that an instance can start on, so that a crash in between costs a second
 * run and nothing else: outputs grow; changelogs are deleted; the prompts topic grows; changelogs are created.
 */
public final class TopicGrowth {

    static final String STOP =
            "stop every instance with SIGTERM, so that it answers what is pending, then run it again";

    /** Whether it is done or only told. */
    public enum Mode {
        /** Refuses as it would, changes nothing. */
        DRY_RUN,
        /** Does it. */
        FOR_REAL
    }

    /** What is done to a topic. */
    public enum Action {
        GROW,
        DELETE,
        CREATE
    }

    /**
     * One change.
     *
     * @param from partitions before; 0: there is no topic
     * @param to partitions after; 0: there is no topic
     */
    public record Step(Action action, String topic, int from, int to) {}

    private final TopicAdmin admin;
    private final ProcessorSettings settings;
    private final TopicSurvey survey;
    private final int partitions;

    private TopicGrowth(Admin client, ProcessorSettings settings, int partitions) {
        this.admin = new TopicAdmin(client);
        this.settings = settings;
        this.survey = TopicSurvey.of(client, settings);
        this.partitions = partitions;
    }

    /**
     * Grows to this many partitions, or only says how.
     *
     * @param done gets each step after it is done, or in a dry run each that would be
     * @return how many steps there were; 0: everything is that large already
     * @throws StartException it is refused, or failed half-way and may be run again; the message names the remedy
     */
    public static int grow(Admin client, ProcessorSettings settings, int partitions, Mode mode, Consumer<Step> done) {
        TopicGrowth growth = new TopicGrowth(client, settings, partitions);
        growth.refuseWhatCannotBe();
        List<Step> steps = growth.steps();
        if (steps.isEmpty()) {
            return 0;
        }
        growth.refuseMembers();
        if (mode == Mode.DRY_RUN) {
            growth.refusePending();
            steps.forEach(done);
        } else {
            growth.run(steps, done);
        }
        return steps.size();
    }

    private void refuseWhatCannotBe() {
        for (String name : Topics.users(settings)) {
            if (survey.topic(name).isEmpty()) {
                throw new StartException(name + ": topic=absent, expected=exists. Remedy: millrace topics create");
            }
        }
        int now = survey.partitions(settings.promptsTopic());
        if (partitions < now) {
            throw new StartException("--partitions=" + partitions + ", expected=more than " + now + ", which topic "
                    + settings.promptsTopic() + " has: Kafka takes no partitions away");
        }
    }

    private List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        List<String> outputs = new ArrayList<>(Topics.users(settings));
        outputs.remove(settings.promptsTopic());
        outputs.remove(settings.controlTopic());
        outputs.forEach(name -> addGrowth(name, steps));
        List<String> changelogs = settings.changelogs().stream()
                .map(Changelog::name)
                .filter(name -> survey.partitions(name) != partitions)
                .toList();
        for (String name : changelogs) {
            if (survey.topic(name).isPresent()) {
                steps.add(new Step(Action.DELETE, name, survey.partitions(name), 0));
            }
        }
        addGrowth(settings.promptsTopic(), steps);
        changelogs.forEach(name -> steps.add(new Step(Action.CREATE, name, 0, partitions)));
        return steps;
    }

    private void addGrowth(String topic, List<Step> steps) {
        int now = survey.partitions(topic);
        if (now < partitions) {
            steps.add(new Step(Action.GROW, topic, now, partitions));
        }
    }

    private void refuseMembers() {
        List<String> members = admin.members(settings.applicationId());
        if (!members.isEmpty()) {
            throw new StartException("group " + settings.applicationId() + ": members=" + String.join(", ", members)
                    + ", expected=none. Remedy: " + STOP);
        }
    }

    private void refusePending() {
        String changelog = PendingStore.changelog(settings.applicationId());
        List<TopicPartition> logs = new ArrayList<>();
        for (int partition = 0; partition < survey.partitions(changelog); partition++) {
            logs.add(new TopicPartition(changelog, partition));
        }
        int pending = PendingCount.of(settings.kafka(), admin.offsets(logs, OffsetSpec.latest()));
        if (pending > 0) {
            throw new StartException(changelog + ": pending prompts=" + pending
                    + ", expected=0: deleting it would lose them. Remedy: start an instance again, and " + STOP
                    + "; processor.drain_timeout is how long it may take");
        }
    }

    private void run(List<Step> steps, Consumer<Step> done) {
        String fence = FencedProducer.fenceTopic(settings.applicationId());
        Topics.createFence(admin, settings, survey);
        try (GroupLock _ = GroupLock.take(settings.kafka(), settings.applicationId(), fence)) {
            refusePending();
            for (Step step : steps) {
                run(step);
                done.accept(step);
            }
        }
    }

    private void run(Step step) {
        switch (step.action()) {
            case GROW -> admin.grow(step.topic(), step.to());
            case DELETE -> admin.delete(step.topic());
            case CREATE -> create(step);
        }
        admin.awaitPartitions(step.topic(), step.to());
    }

    private void create(Step step) {
        NewTopic topic = Topics.own(settings, survey, step.to()).stream()
                .filter(each -> each.name().equals(step.topic()))
                .findFirst()
                .orElseThrow();
        if (admin.create(List.of(topic)).isEmpty()) {
            // an instance that tried to start created it, with the old count, and was kept out: nothing is in it
            admin.delete(step.topic());
            admin.awaitPartitions(step.topic(), 0);
            admin.create(List.of(topic));
        }
    }
}
