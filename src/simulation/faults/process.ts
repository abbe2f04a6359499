/** Purpose: faults of a process and its machine: death, freezing, clocks, disk, engine. */
import { nextEpoch } from "../../core/epoch.ts";
import { type FaultWork, nothingToEnd, scaled, secondAmount, sometimesQuiet } from "./fault.ts";
import { alterDisk } from "../world/paired-store.ts";
import type { WakingOrder } from "../world/sim-process.ts";

/** The kernel closes the sockets of a small process in some 3 ms, of one that holds 4 GB in some 240 ms (measured). */
const SMALL_CLOSES_MS = 3;
const LARGE_CLOSES_MS = 240;
const LARGE_SHARE = 0.15;
const WAKING_ORDERS: readonly WakingOrder[] = ["as-due", "timers-first", "arrivals-first"];
const STROBES_PER_S = 5;

export const processFaults = {
  kill: {
    weight: 10,
    lastsMs: [20, 6_000],
    begin: (world, fault) => {
      const large = secondAmount(fault) < LARGE_SHARE;
      world.processes[fault.target].kill(large ? LARGE_CLOSES_MS : SMALL_CLOSES_MS);
    },
    end: (world, { target }) => world.processes[target].boot(),
  },
  "power-off": {
    weight: 3,
    lastsMs: [500, 6_000],
    begin: (world, { target }) => world.processes[target].losePower(),
    end: (world, { target }) => world.processes[target].boot(),
  },
  "returns-from-alone": {
    weight: 3,
    lastsMs: [500, 4_000],
    begin: (world, { target }) => world.processes[target].losePower(),
    end: (world, fault) => {
      const { disk, coordinator } = world.processes[fault.target];
      // It led alone meanwhile, or the disk is of another show: epochs of its own that nobody else has seen [EP5].
      if (disk.content !== null && coordinator === null) {
        const epoch = nextEpoch(disk.content.highestEpoch + 2 * Math.floor(scaled(fault, 1, 20)), fault.target);
        alterDisk(disk, (store) => store.saveEpochs({ highestEpoch: epoch, acceptedEpoch: epoch }));
      }
      world.processes[fault.target].boot();
    },
  },
  "clean-restart": {
    weight: 3,
    lastsMs: [300, 3_000],
    begin: (world, { target }) => world.processes[target].stop(),
    end: (world, { target }) => world.processes[target].boot(),
  },
  pause: {
    weight: 8,
    lastsMs: [200, 4_000],
    begin: (world, { target }) => void world.processes[target].pause(),
    end: (world, fault) => world.processes[fault.target].wake(wakingOrder(secondAmount(fault))),
  },
  stall: {
    weight: 6,
    lastsMs: [20, 350],
    begin: (world, { target }) => void world.processes[target].pause(),
    end: (world, fault) => world.processes[fault.target].wake(wakingOrder(secondAmount(fault))),
  },
  "clock-step": {
    weight: 4,
    lastsMs: [0, 0],
    begin: (world, fault) => world.processes[fault.target].machine.clock.stepUnix(scaled(fault, -8_000, 8_000)),
    end: nothingToEnd,
  },
  "clock-strobe": {
    weight: 2,
    lastsMs: [500, 3_000],
    begin: (world, fault) => {
      const { clock } = world.processes[fault.target].machine;
      const swings = Math.floor((fault.forMs / 1_000) * STROBES_PER_S);
      for (let swing = 0; swing < swings; swing += 1) {
        const byMs = (swing % 2 === 0 ? 1 : -1) * scaled(fault, 50, 2_000);
        world.scheduler.after((swing * 1_000) / STROBES_PER_S, () => clock.stepUnix(byMs));
      }
    },
    end: (world, { target }) => world.processes[target].machine.clock.disciplineUnix(world.nowMs),
  },
  "disk-full": {
    weight: 3,
    lastsMs: [200, 4_000],
    begin: (world, { target }) => void (world.processes[target].disk.full = true),
    end: (world, { target }) => void (world.processes[target].disk.full = false),
  },
  "slow-engine": {
    weight: 3,
    lastsMs: [200, 4_000],
    begin: (world, fault) => void (world.processes[fault.target].engineFaults.slowMs = scaled(fault, 5, 400)),
    end: (world, { target }) => void (world.processes[target].engineFaults.slowMs = 0),
  },
  // Where the engine is inside of the coordinator's process there is none that could die or hang by itself.
  "engine-killed": {
    weight: 3,
    lastsMs: [20, 3_000],
    begin: (world, { target }) => world.processes[target].engineProcess?.die(),
    end: (world, { target }) => world.processes[target].engineProcess?.start(),
  },
  "engine-frozen": {
    weight: 2,
    lastsMs: [50, 3_000],
    begin: (world, { target }) => world.processes[target].engineProcess?.freeze(),
    end: (world, { target }) => world.processes[target].engineProcess?.thaw(),
  },
  "engine-hangs": {
    weight: 2,
    lastsMs: [50, 3_000],
    begin: (world, fault) => world.processes[fault.target].engineProcess?.hang(secondAmount(fault)),
    end: (world, { target }) => world.processes[target].engineProcess?.unhang(),
  },
  "unhealthy-engine": {
    weight: 3,
    lastsMs: [100, 4_000],
    begin: (world, fault) => {
      sometimesQuiet(world, fault);
      world.processes[fault.target].engineFaults.health = fault.amount < 0.3 ? "degraded" : "failed";
    },
    end: (world, { target }) => void (world.processes[target].engineFaults.health = "ok"),
  },
} satisfies Record<string, FaultWork>;

function wakingOrder(amount: number): WakingOrder {
  return WAKING_ORDERS[Math.floor(amount * WAKING_ORDERS.length)] ?? "as-due";
}
