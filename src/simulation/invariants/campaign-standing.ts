/** Purpose: what an engine knew when it began to campaign, as an onlooker of the whole world can tell. */
import { comparePositions } from "../../core/claim.ts";
import type { LogPosition } from "../../core/command.ts";
import { laterHlc } from "../../core/hlc.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { World } from "../world/world.ts";

/** What an engine has lived through in its present life. True times. */
export interface Known {
  readonly bornMs: number;
  heardLeaderMs: number;
  wokeMs: number;
  /** Life of the peer, and counter, of the newest heartbeat that it heard. */
  peerIncarnation: string;
  lastN: number;
  /** The newest epoch that it led in. */
  epoch: number;
  /** The newest epoch in which it heard its peer lead. */
  heardEpoch: number;
  /** The best position that a leader told it. */
  told: LogPosition;
  /** When it last gave its vote away. */
  votedMs: number;
  /** What it knew when its newest campaign began, and when that sent its swap. */
  standing: Standing | null;
  standingAtSwap: Standing | null;
  campaigns: boolean;
  /** The last epoch that the witness took from it. */
  swappedEpoch: number;
  /** The newest automatic changes that it knows of; they count for hold-down. */
  changes: readonly number[];
}

/** What bore on a campaign. Ages in ms of the engine's own monotonic clock. */
export interface Standing {
  readonly promiseAgeMs: number;
  readonly quarantineAgeMs: number;
  readonly maintenanceOn: boolean;
  readonly engineFailed: boolean;
  /** Whether the peer's process is dead, or was until so recently that a proof of it may still be believed. */
  readonly peerDead: boolean;
  readonly behind: boolean;
  readonly changes: readonly number[];
}

/** A process that has just come back may still be taken for dead: until its link is up. */
const PROOF_LASTS_MS = 400;

/** A life that begins now. */
export function newLife(bornMs: number): Known {
  return {
    ...{ bornMs, heardLeaderMs: -Infinity, wokeMs: -Infinity, peerIncarnation: "", lastN: 0, epoch: 0, heardEpoch: 0 },
    told: { epoch: 0, seq: 0 },
    ...{ votedMs: -Infinity, standing: null, standingAtSwap: null, campaigns: false, swappedEpoch: 0 },
    changes: [],
  };
}

/** What the engine of `label` knows now; `peer` is what the other one has lived through. */
export function standingOf(world: World, label: Label, known: Known, peer: Known): Standing {
  const { nowMs, processes, ground, settings } = world;
  const { policy, staleTakeoverMs } = settings.failover;
  const { machine, disk } = processes[label];
  const ageMs = (sinceMs: number): number => (nowMs - sinceMs) * machine.clock.rate;
  const patienceMs = policy === "consistency" ? Infinity : staleTakeoverMs;
  // A record that its holder released frees from the promise to it [DP3].
  const released = ground.witness?.server.record?.released === true;
  const end = disk.content?.shape.at(-1);
  const position = { epoch: end?.epoch ?? 0, seq: end?.to ?? 0 };
  return {
    promiseAgeMs: released ? Infinity : ageMs(Math.max(known.heardLeaderMs, known.votedMs)),
    quarantineAgeMs: ageMs(Math.max(known.bornMs, known.wokeMs)),
    maintenanceOn: isHeld(world, label),
    engineFailed: isKnownFailed(world, label),
    peerDead: !processes[otherLabel(label)].alive || nowMs - peer.bornMs < PROOF_LASTS_MS,
    behind: comparePositions(position, known.told) < 0 && ageMs(known.heardLeaderMs) < patienceMs,
    changes: known.changes,
  };
}

/** An engine beside the coordinator is asked now and then: what it said last counts. */
function isKnownFailed(world: World, label: Label): boolean {
  const { engineProcess, engineFaults, ports } = world.processes[label];
  return engineProcess === null ? engineFaults.health === "failed" : ports?.given.engine.health() === "failed";
}

/** Whether a person holds the role; the later word stands, also where only the peer's disk has taken it. */
function isHeld(world: World, label: Label): boolean {
  const own = world.contentOf(label)?.maintenance ?? null;
  const peers = world.contentOf(otherLabel(label))?.maintenance ?? null;
  if (own === null || peers === null || laterHlc(own.stamp, peers.stamp) === own.stamp) return own?.on ?? false;
  return own.on && peers.on;
}
