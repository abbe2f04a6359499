/** Purpose: faults of the witness and of the way to it. */
import { type FaultWork, nothingToEnd, scaled } from "./fault.ts";
import { cutOff, heal, witnessPaths } from "./network.ts";

export const witnessFaults = {
  "witness-cut": {
    weight: 6,
    lastsMs: [100, 8_000],
    begin: (world, { target }) => cutOff(witnessPaths(world, target)),
    end: (world, { target }) => heal(witnessPaths(world, target)),
  },
  "witness-answers-lost": {
    weight: 4,
    lastsMs: [100, 4_000],
    begin: (world, { target }) => world.ground.witnessWays[target].back.cutOff(),
    end: (world, { target }) => world.ground.witnessWays[target].back.heal(),
  },
  "witness-down": {
    weight: 4,
    lastsMs: [100, 6_000],
    begin: (world) => void (world.ground.witness !== null && (world.ground.witness.up = false)),
    end: (world) => void (world.ground.witness !== null && (world.ground.witness.up = true)),
  },
  "witness-stall": {
    weight: 3,
    lastsMs: [100, 5_000],
    begin: (world, { forMs }) => {
      if (world.ground.witness !== null) world.ground.witness.stalledUntilMs = world.nowMs + forMs;
    },
    end: nothingToEnd,
  },
  "witness-slow": {
    weight: 3,
    lastsMs: [300, 4_000],
    begin: (world, fault) => {
      for (const path of witnessPaths(world, fault.target)) path.slow(scaled(fault, 5, 160));
    },
    end: (world, { target }) => witnessPaths(world, target).forEach((path) => path.slow(0)),
  },
  "witness-amnesia": {
    weight: 4,
    lastsMs: [0, 0],
    begin: (world) => world.ground.witness?.server.forget(),
    end: nothingToEnd,
  },
  "witness-old-copy": {
    weight: 4,
    lastsMs: [0, 0],
    begin: (world) => world.ground.witness?.failOver(),
    end: nothingToEnd,
  },
  "witness-clock-step": {
    weight: 2,
    lastsMs: [0, 0],
    begin: (world, fault) => world.ground.witness?.stepClock(scaled(fault, -40_000, 40_000)),
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;
