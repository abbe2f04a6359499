/** Purpose: people at the desks of the virtual world: their requests reach an engine over its HTTP surface. */
import type { Coordinator } from "../coordinator/types.ts";
import type { Label } from "../core/ids.ts";
import type { ForceLeaderRequest } from "../core/outcomes.ts";
import type { World } from "./world.ts";

/** From a desk to an engine and back. */
const REQUEST_TAKES_MS = 1;
/** People give engines that have just come back a moment before they lift holds. */
const LIFT_AFTER_MS = 1_000;

/** `POST /api/peer/force-leader`. */
export function forceLeader(world: World, label: Label, request: ForceLeaderRequest): void {
  reach(world, label, async (coordinator) => {
    world.trace.note(world.nowMs, label, `forced: ${request.mode}`, 0, request.requestId ?? "");
    const outcome = await coordinator.forceLeader(request);
    world.trace.note(world.nowMs, label, `force answered: ${outcome.outcome}`);
    world.watchers.each((watch) => watch.forced?.(label, request, outcome));
  });
}

/** `POST /api/handover`. */
export function askForHandover(world: World, label: Label): void {
  reach(world, label, async (coordinator) => {
    const outcome = await coordinator.handover({ reason: "planned work", by: "operator" });
    world.trace.note(world.nowMs, label, `handover answered: ${outcome.outcome}`);
  });
}

/** `POST /api/maintenance`. */
export function askForMaintenance(world: World, label: Label, on: boolean): void {
  reach(world, label, async (coordinator) => {
    world.trace.note(world.nowMs, label, on ? "held" : "hold lifted");
    coordinator.setMaintenance({ on, reason: "planned work", by: "operator" });
  });
}

/** Lifts every hold, as the people would who made them. */
export function liftMaintenance(world: World): void {
  world.scheduler.after(LIFT_AFTER_MS, () => {
    for (const label of ["a", "b"] as const) askForMaintenance(world, label, false);
  });
}

function reach(world: World, label: Label, ask: (coordinator: Coordinator) => Promise<void>): void {
  world.scheduler.after(REQUEST_TAKES_MS, () => {
    const { life, coordinator, serving } = world.processes[label];
    if (life === null || coordinator === null || !serving) return;
    world.scheduler.enter(life, "arrival", () => {
      ask(coordinator).catch((error: unknown) => {
        if (life.alive) world.rejected(label, error);
      });
    });
  });
}
