/**
 * Purpose: I13: every committed change stands in the feed at least once in the end, in the order of its stack.
 * How: whatever stands upon another event comes after it; the operations of one origin come in their order. At the end
 * the logs of both engines are walked and compared with the feed.
 */
import { PROGRAMME } from "../../core/control-event.ts";
import { commandEventId, recordStack } from "../../outbox/events.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Why not everything is told yet; null when it is. */
export function untold(world: World): string | null {
  if (world.ground.feed === null) return null;
  const { a, b } = world.processes;
  const leader = [a, b].find((process) => process.mayAct());
  const depth = leader?.coordinator?.outbox().depth ?? 0;
  return depth === 0 ? null : `${depth} events wait on ${leader?.label ?? "nobody"}`;
}

/** Watches the feed. */
export function feed(world: World): Watch {
  const told = new Set<string>();
  const versions = new Map<string, Set<number>>();
  const last = new Map<string, number>();
  return {
    published: ({ event }) => {
      const { eventId, stackId, version, baseVersion } = event;
      told.add(eventId);
      const known = versions.get(stackId) ?? new Set<number>();
      versions.set(stackId, known.add(version));
      if (stackId === PROGRAMME && baseVersion > 0 && !known.has(baseVersion)) {
        world.violate("I13", `${eventId} makes ${version} of ${stackId} upon ${baseVersion}, which nobody was told of`);
      }
      if (stackId.startsWith("records/") && version < (last.get(stackId) ?? 0)) {
        world.violate("I13", `${stackId} went back to ${version} after ${last.get(stackId)}`);
      }
      last.set(stackId, version);
    },
    settled: () => {
      for (const label of ["a", "b"] as const) {
        for (const command of world.contentOf(label)?.commands ?? []) {
          const eventId = commandEventId(command);
          if (!told.has(eventId)) world.violate("I13", `${eventId} stands in ${label}'s log and was never told`);
        }
        for (const { op } of world.contentOf(label)?.replica.arrivals ?? []) {
          if (versions.get(recordStack(op.origin))?.has(op.originSeq)) continue;
          world.violate("I13", `operation ${op.origin}/${op.originSeq} stands in ${label}'s log and was never told`);
        }
      }
    },
  };
}
