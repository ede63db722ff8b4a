package io.millrace.streams.simulation;

import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The control topic. */
final class Commands {

    private final World world;
    private final Plan plan;
    private final List<ControlCommand> sent = new ArrayList<>();

    Commands(World world, Plan plan) {
        this.world = world;
        this.plan = plan;
    }

    List<ControlCommand> sent() {
        return sent;
    }

    /** Something of a tenant, or of one prompt that may come, has come or never comes. */
    void sendAny() {
        boolean ofTenant = world.random.oneIn(2);
        String target = ofTenant ? Prompt.TENANTS.get(world.random.below(Prompt.TENANTS.size())) : requestId();
        ControlAction action = switch (world.random.below(3)) {
            case 0 -> ControlAction.CANCEL;
            case 1 -> ControlAction.PAUSE;
            default -> ControlAction.RESUME;
        };
        send(action, ofTenant ? ControlScope.TENANT : ControlScope.REQUEST, target);
    }

    private void send(ControlAction action, ControlScope scope, String target) {
        world.note("commands", action.name(), target);
        sent.add(ControlCommand.newBuilder()
                .setCommandId("c" + sent.size())
                .setAction(action)
                .setScope(scope)
                .setTarget(target)
                .setReason(null)
                .setIssuedAt(Instant.ofEpochMilli(Prompt.instant(world.nanos()).toEpochMilli()))
                .build());
    }

    /** Nothing stays paused for ever. */
    void resumeAll() {
        Map<String, ControlCommand> pauses = new LinkedHashMap<>();
        for (ControlCommand command : sent) {
            if (command.getAction() == ControlAction.PAUSE) {
                pauses.put(command.getTarget(), command);
            }
        }
        pauses.values().forEach(pause -> send(ControlAction.RESUME, pause.getScope(), pause.getTarget()));
    }

    /** Whether a prompt may have been cancelled: it was sent before a command that names it. */
    boolean mayCancel(int partition, int offset, Prompt prompt) {
        long sentMs = Prompt.instant(prompt.sentNanos()).toEpochMilli();
        for (ControlCommand command : sent) {
            boolean named = switch (command.getScope()) {
                case TENANT -> command.getTarget().equals(prompt.tenant());
                case REQUEST -> command.getTarget().equals(requestId(partition, offset, prompt));
                case JOB, UNKNOWN -> false;
            };
            if (named
                    && command.getAction() == ControlAction.CANCEL
                    && command.getIssuedAt().toEpochMilli() >= sentMs) {
                return true;
            }
        }
        return false;
    }

    private String requestId() {
        return plan.requestIds() > 0 && world.random.oneIn(2)
                ? Prompt.requestId(world.random.below(plan.requestIds()))
                : place(world.random.below(plan.partitions()), world.random.below(plan.prompts()));
    }

    private static String requestId(int partition, int offset, Prompt prompt) {
        return prompt.requestId() == null ? place(partition, offset) : prompt.requestId();
    }

    /** The id of a prompt that has none of its own. */
    static String place(int partition, int offset) {
        return Cluster.PROMPTS + "-" + partition + "-" + offset;
    }
}
