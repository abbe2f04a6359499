/**
 * Faults of the plant around the processes: wall clocks that are wrong by up to years and put right later, devices that
 * forget, a leader that fails again and again.
 */
import { otherLabel } from "../../core/ids.ts";
import { askForHandover } from "../people/operator.ts";
import { REASSERT_MS } from "../../ports/changeover-switch.ts";
import type { SimProcess } from "../world/sim-process.ts";
import type { World } from "../world/world.ts";
import { bothWays, cutOff, heal, pathsOfOneLink, witnessPaths } from "./network.ts";
import { type FaultWork, nothingToEnd, type PlannedFault, secondAmount } from "./fault.ts";

const FLAP_EVERY_MS = 1_500;
const FLAP_FOR_MS = 1_050;
const BACK_AFTER_MS = 800;
const KILL_LOOKS_MS = 10;
const SPLIT_FOR_MS = 2_000;
const BLANK_AFTER_MS = 200;
const BLANK_FOR_MS = 150;
const RECOVERY_LOOKS_MS = 1;
const AT_REST: readonly string[] = ["united", "backingOff", "parted", "needsPerson"];
/** A second to three years. */
const LEAST_WRONG_MS = 1_000;
const MOST_WRONG_MS = 1e11;
const SMALL_CLOSES_MS = 3;

export const plantFaults = {
  "leader-flaps": {
    weight: 8,
    lastsMs: [6_000, 10_000],
    begin: (world, { forMs }) => {
      for (let atMs = 0; atMs + FLAP_FOR_MS < forMs; atMs += FLAP_EVERY_MS) {
        world.scheduler.after(atMs, () => {
          const leader = [world.processes.a, world.processes.b].find((process) => process.mayAct());
          if (leader?.pause() === true) world.scheduler.after(FLAP_FOR_MS, () => leader.wake("as-due"));
        });
      }
    },
    end: nothingToEnd,
  },
  "killed-beside-a-dead-link": {
    weight: 8,
    lastsMs: [3_500, 3_500],
    begin: (world, fault) => {
      cutOff(pathsOfOneLink(world, fault));
      world.scheduler.after(1_000, () => killLeader(world));
    },
    end: (world, fault) => heal(pathsOfOneLink(world, fault)),
  },
  "killed-again": {
    weight: 8,
    lastsMs: [5_000, 5_000],
    begin: (world, { forMs }) => {
      const endMs = world.nowMs + forMs;
      const first = killLeader(world);
      const killNext = (): void => {
        if (first === null || world.nowMs > endMs) return;
        // The one that was killed first is back and says that it could take over: that is the moment.
        if (first.running && !first.mayAct() && first.coordinator?.ready() === true) killLeader(world);
        else world.scheduler.after(KILL_LOOKS_MS, killNext);
      };
      killNext();
    },
    end: nothingToEnd,
  },
  "killed-while-reconciling": {
    weight: 10,
    lastsMs: [4_000, 4_000],
    begin: (world, { forMs }) => {
      const leader = leaderOf(world);
      if (leader === null) return;
      const endMs = world.nowMs + forMs - BACK_AFTER_MS;
      const paths = [...bothWays(world), ...witnessPaths(world, leader.label)];
      cutOff(paths);
      world.scheduler.after(SPLIT_FOR_MS, () => {
        heal(paths);
        killInRecovery(world, endMs);
      });
    },
    end: nothingToEnd,
  },
  "leaders-disk-full": {
    weight: 6,
    lastsMs: [4_000, 4_000],
    begin: (world, { forMs }) => {
      const leader = leaderOf(world);
      if (leader === null) return;
      leader.disk.full = true;
      world.scheduler.after(forMs, () => void (leader.disk.full = false));
    },
    end: nothingToEnd,
  },
  // Somebody sees that the engine is in trouble, and starts the coordinator again.
  "restarted-beside-a-blank-engine": {
    weight: 5,
    lastsMs: [600, 600],
    begin: (world, fault) => {
      const process = world.processes[fault.target];
      process.engineProcess?.die();
      world.scheduler.after(BLANK_AFTER_MS, () => {
        process.engineProcess?.start();
        world.scheduler.after(fault.amount * BLANK_FOR_MS, () => {
          // Nobody would start it again after the fault.
          if (world.faults.active.has(fault)) process.stop();
        });
      });
    },
    end: (world, { target }) => world.processes[target].boot(),
  },
  "handed-around": {
    weight: 4,
    lastsMs: [1_000, 1_000],
    begin: (world, { target, amount }) => {
      const everyMs = 100 + 300 * amount;
      [target, otherLabel(target), target].forEach((label, turn) => {
        world.scheduler.after(turn * everyMs, () => askForHandover(world, label));
      });
    },
    end: nothingToEnd,
  },
  "clock-wrong": {
    weight: 6,
    lastsMs: [500, 8_000],
    begin: (world, fault) => world.processes[fault.target].machine.clock.stepUnix(wrongByMs(fault)),
    end: (world, { target }) => world.processes[target].machine.clock.disciplineUnix(world.nowMs),
  },
  "restart-in-the-past": {
    weight: 8,
    lastsMs: [50, 3_000],
    begin: (world, { target }) => world.processes[target].kill(SMALL_CLOSES_MS),
    end: (world, fault) => {
      const { machine } = world.processes[fault.target];
      machine.clock.stepUnix(-Math.abs(wrongByMs(fault)));
      world.processes[fault.target].boot();
    },
  },
  "switch-forgets": {
    weight: 3,
    lastsMs: [REASSERT_MS, REASSERT_MS],
    begin: (world) => {
      world.ground.router.routedTo = null;
      world.ground.scriptTarget.routedTo = null;
    },
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;

function leaderOf(world: World): SimProcess | null {
  return [world.processes.a, world.processes.b].find((process) => process.mayAct()) ?? null;
}

/** Looks until one that leads reconciles after a split, and kills it there. */
function killInRecovery(world: World, endMs: number): void {
  const winner = [world.processes.a, world.processes.b].find(({ running, coordinator }) => {
    const step = running ? coordinator?.state().machines["split-brain"] : undefined;
    return typeof step === "string" && !AT_REST.includes(step);
  });
  if (winner !== undefined) {
    winner.kill(SMALL_CLOSES_MS);
    world.scheduler.after(BACK_AFTER_MS, () => winner.boot());
  } else if (world.nowMs < endMs) world.scheduler.after(RECOVERY_LOOKS_MS, () => killInRecovery(world, endMs));
}

/** The process that leads dies and is started again a while later; null: none leads. */
function killLeader(world: World): SimProcess | null {
  const leader = leaderOf(world);
  leader?.kill(SMALL_CLOSES_MS);
  if (leader !== null) world.scheduler.after(BACK_AFTER_MS, () => leader.boot());
  return leader;
}

/** As often by seconds as by years, ahead as often as behind. */
function wrongByMs(fault: PlannedFault): number {
  const size = LEAST_WRONG_MS * (MOST_WRONG_MS / LEAST_WRONG_MS) ** fault.amount;
  return secondAmount(fault) < 0.5 ? size : -size;
}
