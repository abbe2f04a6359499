/**
 * HO7: a changeover request ends with the leadership that made it, and is repeated for as long as that lasts. A script has
 * no effect once its engine has stopped leading, unless the engine was dead or frozen and could not end it. And some time
 * after the last fault, every device points at the leader, also one that forgot its route.
 */
import type { Label } from "../../core/ids.ts";
import { REASSERT_MS } from "../../ports/changeover-switch.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** A repetition, a failed one with its longest pause, and the slowest script. */
const RIGHT_WITHIN_MS = 2 * REASSERT_MS + 3_000;
const LOOK_EVERY_MS = 200;

/** The device that does not point at the leader; null: all do, or nobody leads. */
export function misrouted({ processes, ground }: World): string | null {
  const leaders = (["a", "b"] as const).filter((label) => processes[label].mayAct());
  const [leader] = leaders;
  if (leader === undefined || leaders.length > 1) return null;
  const { router, scriptTarget } = ground;
  if (router.routedTo !== leader) return `the router points at ${router.routedTo ?? "nothing"}, ${leader} leads`;
  return scriptTarget.routedTo === leader
    ? null
    : `the scripts' device points at ${scriptTarget.routedTo ?? "nothing"}, ${leader} leads`;
}

export function routing(world: World): Watch {
  const led: Record<Label, number | null> = { a: null, b: null };
  let lookAtMs = 0;
  let wrongSinceMs = 0;
  let leader = "";
  return {
    booted: (label) => void (led[label] = null),
    told: (label, event) => {
      if (event.type === "role") led[label] = event.role === "leader" ? event.epoch : null;
    },
    scriptRan: (label, epoch, orphaned) => {
      if (orphaned || led[label] === epoch) return;
      const now = led[label] === null ? "follows" : `leads in epoch ${led[label]}`;
      world.violate("HO7", `a script of ${label} for epoch ${epoch} ran to its end although it ${now}`);
    },
    afterStep: () => {
      const { nowMs, faults } = world;
      if (nowMs < lookAtMs) return;
      lookAtMs = nowMs + LOOK_EVERY_MS;
      const leads = (["a", "b"] as const).filter((label) => world.processes[label].mayAct()).join();
      const wrong = faults.active.size === 0 && leads === leader ? misrouted(world) : null;
      leader = leads;
      if (wrong === null) wrongSinceMs = nowMs;
      wrongSinceMs = Math.max(wrongSinceMs, faults.changedMs);
      if (nowMs - wrongSinceMs > RIGHT_WITHIN_MS)
        world.violate("HO7", `${RIGHT_WITHIN_MS} ms after the last fault ${wrong}`);
    },
  };
}
