/** Purpose: faults of the witness and of the way to it. */
import type { StrangeContent, WitnessRecord } from "../../ports/witness.ts";
import { type FaultWork, nothingToEnd, scaled } from "./fault.ts";
import { STRANGER } from "../ground/witness-host.ts";
import { cutOff, heal, witnessPaths } from "./network.ts";

/** Far above what a pair reaches in a run: whoever obeyed the stranger shows it. */
export const STRANGERS_EPOCH = 1_000_001;

/** As another pair with the same name would leave it, or as a careless tool. */
const STRANGE: readonly (WitnessRecord | StrangeContent)[] = [
  {
    holder: "a",
    engineId: STRANGER,
    epoch: STRANGERS_EPOCH,
    seq: 7,
    lastCommandSeq: 1_000,
    lastCommandEpoch: STRANGERS_EPOCH,
    clock: {},
    released: false,
  },
  { content: "not a record" },
];

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
  "witness-strange": {
    weight: 3,
    lastsMs: [100, 6_000],
    begin: (world, { amount }) => {
      const strange = STRANGE[amount < 0.5 ? 0 : 1];
      if (strange !== undefined) world.ground.witness?.server.scribble(strange);
    },
    end: (world) => world.clearWitness(),
  },
  "witness-clock-step": {
    weight: 2,
    lastsMs: [0, 0],
    begin: (world, fault) => world.ground.witness?.stepClock(scaled(fault, -40_000, 40_000)),
    end: nothingToEnd,
  },
} satisfies Record<string, FaultWork>;
