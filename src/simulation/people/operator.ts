/** Purpose: people and their tools at the desks of the virtual world: their requests reach an engine over its HTTP surface. */
import type { Coordinator } from "../../coordinator/types.ts";
import type { Json } from "../../core/canonical-json.ts";
import { type Label, makeId, otherLabel } from "../../core/ids.ts";
import type { StateSnapshot } from "../../core/messages.ts";
import type { ForceLeaderRequest } from "../../core/outcomes.ts";
import { isStranger } from "../ground/witness-host.ts";
import type { World } from "../world/world.ts";

/** From a desk to an engine and back. */
const REQUEST_TAKES_MS = 1;
const CONFLICTS_READ = 100;
/** Between two looks of those who wait for a new engine. */
const ADOPTS_EVERY_MS = 300;
/** Looks at the witness once the new engine is the peer. */
const ADOPTS_LOOKS = 40;
/** People give engines that have just come back a moment before they lift holds. */
const LIFT_AFTER_MS = 1_000;
/** So long they give a peer that has just come back. */
const RESTART_AFTER_MS = 2_500;
/** An id under which nobody ever held the lock. */
const STRANGER = makeId("lock", "stranger");

/** `POST /api/peer/force-leader`. Nobody overrides a living engine that refuses this one: the runbook says to adopt it first. */
export function forceLeader(world: World, label: Label, asked: ForceLeaderRequest): void {
  reach(world, label, async (coordinator) => {
    const refused = coordinator.state().alarms.some(({ code }) => code === "refused-by-peer");
    const heeds = refused && world.processes[otherLabel(label)].life !== null;
    const request: ForceLeaderRequest = heeds ? { ...asked, mode: "graceful" } : asked;
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

/** Restarts an engine that is ahead of its restored folder where no peer could help, as `engine-failed` asks [EN9]. */
export function restartLostEngines(world: World): void {
  world.scheduler.after(RESTART_AFTER_MS, () => {
    for (const { label, coordinator, running, diskReplaced, engineProcess } of [world.processes.a, world.processes.b]) {
      const asks = running && coordinator?.state().alarms.some(({ code }) => code === "engine-failed");
      if (asks !== true || !diskReplaced || engineProcess === null) continue;
      world.trace.note(world.nowMs, label, "engine restarted");
      engineProcess.die();
      engineProcess.start();
    }
  });
}

/**
 * `changeover pair adopt FINGERPRINT` at `label`, once the engine that was put in the other one's place has been seen there
 * [ID2], or refused as `replayed` because its folder is older and its clock behind; and `changeover witness adopt` where the
 * record is that of the engine that is gone. People look for a while.
 */
export function adoptPeer(world: World, label: Label, looks = ADOPTS_LOOKS): void {
  if (looks === 0) return;
  const other = world.contentOf(otherLabel(label))?.engineId;
  const isPeer = other !== undefined && world.contentOf(label)?.pinnedPeer?.engineId === other;
  if (isPeer) for (const one of ["a", "b"] as const) adoptWitness(world, one);
  reach(world, label, async (coordinator) => {
    const { strangers } = coordinator.pair();
    const stranger = strangers.find(
      ({ engineId, refusal }) => engineId === other && (!isPeer || refusal === "replayed"),
    );
    if (stranger === undefined) return;
    const { fingerprint } = stranger;
    const answer = coordinator.adoptPeer({ fingerprint, by: "operator" });
    world.trace.note(world.nowMs, label, `adoption answered: ${answer.outcome}`, 0, fingerprint);
  });
  world.scheduler.after(ADOPTS_EVERY_MS, () => adoptPeer(world, label, isPeer ? looks - 1 : looks));
}

/** `changeover witness adopt`, where the record is that of an engine whose disk is gone. */
function adoptWitness(world: World, label: Label): void {
  reach(world, label, async (coordinator) => {
    const isForeign = coordinator.state().alarms.some(({ code }) => code === "witness-foreign");
    const holder = world.ground.witness?.server.record?.engineId;
    if (!isForeign || holder === undefined || isStranger(holder)) return;
    world.watchers.each((watch) => watch.adoptsWitness?.(label));
    const answer = await coordinator.adoptWitness({ by: "operator" });
    world.trace.note(world.nowMs, label, `witness adoption answered: ${answer.outcome}`);
  });
}

/** `POST /api/conflicts/{id}`: a person settles the oldest conflict about a command that still waits. */
export function resolveConflict(world: World, label: Label, choice: "keep" | "reapply"): void {
  reach(world, label, async (coordinator) => {
    const open = coordinator
      .conflicts(CONFLICTS_READ)
      .filter(({ kind, outcome }) => kind === "command" && outcome === "open");
    const oldest = open.at(-1);
    if (oldest === undefined) return;
    const answer = await coordinator.resolveConflict(oldest.id, { choice }, "operator");
    world.trace.note(world.nowMs, label, `conflict answered: ${answer.outcome}`, 0, oldest.id);
  });
}

/** A tool takes the reconcile lock, and another one that never had it tries to free it [RL1]. */
export function contendForLock(world: World, label: Label, ttlMs: number): void {
  reach(world, label, async (coordinator) => {
    const taken = await coordinator.acquireLock({ holder: "tool", ttlMs });
    world.trace.note(world.nowMs, label, `lock answered: ${taken.outcome}`);
  });
  reach(world, otherLabel(label), async (coordinator) => {
    const freed = await coordinator.releaseLock(STRANGER);
    world.trace.note(world.nowMs, otherLabel(label), `stranger's release answered: ${freed.outcome}`);
    if (freed.outcome === "released") world.violate("I14", "a lock was released by one who never held it");
  });
}

/** A tool takes a snapshot, and posts it `afterMs` later under the lock, which may have lapsed by then [SB4]. */
export function postSnapshotLate(world: World, label: Label, timing: { afterMs: number; ttlMs: number }): void {
  reach(world, label, async (coordinator) => {
    const taken = await coordinator.snapshot();
    if (taken.outcome !== "taken") return;
    const { snapshot } = taken;
    if (timing.ttlMs > timing.afterMs)
      world.scheduler.after(timing.afterMs, () => post(world, label, snapshot, timing.ttlMs));
    else post(world, label, snapshot, timing.ttlMs, timing.afterMs);
  });
}

/** Acquires the lock, waits, posts. */
function post(world: World, label: Label, snapshot: StateSnapshot, ttlMs: number, waitMs = 0): void {
  reach(world, label, async (coordinator) => {
    const taken = await coordinator.acquireLock({ holder: "tool", ttlMs });
    if (taken.outcome !== "acquired") return;
    const { lockId } = taken;
    world.scheduler.after(waitMs, () =>
      reach(world, label, async (again) => {
        if (!isOwnPast(world, label, snapshot)) return;
        const outcome = await again.applySnapshot(lockId, snapshot as unknown as Json);
        world.trace.note(world.nowMs, label, `snapshot answered: ${outcome.outcome}`);
        world.watchers.each((watch) => watch.snapshotAnswered?.(label, lockId, outcome));
        await again.releaseLock(lockId);
      }),
    );
  });
}

/** Whether the engine was once in this state: people restore what was, they do not put one engine's state on the other. */
function isOwnPast(world: World, label: Label, snapshot: StateSnapshot): boolean {
  const then = world.ground.pasts.get((snapshot.state as { chain: string }).chain);
  let past = world.processes[label].engineMemory?.past ?? null;
  while (past !== null && past.count > (then?.count ?? 0)) past = past.previous;
  return past === then;
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
