/**
 * Purpose: I5 (no campaign of automation during a promise, quarantine, maintenance or hold-down) and I11 (automatic role
 * changes are bounded).
 * How: what bore on a campaign is noted when it begins, and judged when its cause is told with the new role.
 */
import { comparePositions } from "../../core/claim.ts";
import type { LogPosition } from "../../core/command.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { LeadershipCause } from "../../core/messages.ts";
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** What an engine knew when it began to campaign. Ages in ms of its own monotonic clock. */
interface Standing {
  readonly promiseAgeMs: number;
  readonly quarantineAgeMs: number;
  readonly maintenanceOn: boolean;
  readonly engineFailed: boolean;
  /** Whether the peer's process is dead, or was until so recently that a proof of it may still be believed. */
  readonly peerDead: boolean;
  readonly changes: readonly number[];
  readonly behind: boolean;
}

interface Known {
  bornMs: number;
  heardLeaderMs: number;
  wokeMs: number;
  lastN: number;
  epoch: number;
  standing: Standing | null;
  /** True times of the newest automatic changes that it knows of; they count for hold-down. */
  changes: readonly number[];
  /** The best position that a leader told it. */
  told: LogPosition;
  /** The newest epoch in which it heard its peer lead. */
  heardEpoch: number;
}

const AUTOMATIC: ReadonlySet<LeadershipCause> = new Set(["cold-start", "silence", "death-proof", "unhealthy", "blind"]);
/** Those that a hold-down forbids; a dead peer may always be replaced [CP6]. */
const LIMITED: ReadonlySet<LeadershipCause> = new Set(["silence", "blind"]);
/** Those that count towards it. */
const COUNTED: ReadonlySet<LeadershipCause> = new Set(["silence", "death-proof", "unhealthy", "blind"]);
/** The engine notes a change some time after the world does, so its window ends later; never earlier than this. */
const MARGIN_MS = 5;
const PROOF_LASTS_MS = 400;
const ROUNDING_MS = 0.01;

/** Watches campaigns. */
export function campaigns(world: World): Watch {
  const fresh = (): Known => ({
    ...{ bornMs: world.nowMs, heardLeaderMs: -Infinity, wokeMs: -Infinity, lastN: 0, epoch: 0, heardEpoch: 0 },
    told: { epoch: 0, seq: 0 },
    standing: null,
    changes: [],
  });
  const known: Record<Label, Known> = { a: fresh(), b: fresh() };
  const { leaseMs, campaignWaitMs, policy, maxAutomaticFailovers, holdDownWindowMs, staleTakeoverMs } =
    world.settings.failover;
  const patienceMs = policy === "consistency" ? Infinity : staleTakeoverMs;
  const waitMs = policy === "consistency" ? campaignWaitMs : leaseMs;

  /** Automatic changes that this engine knows of: its own, and those of its peer that it heard of. */
  const noteChange = (label: Label, cause: LeadershipCause | null): void => {
    if (cause === null || !COUNTED.has(cause)) return;
    known[label].changes = [...known[label].changes, world.nowMs].slice(-maxAutomaticFailovers);
  };

  const standingOf = (label: Label): Standing => {
    const { rate } = world.processes[label].machine.clock;
    const { bornMs, heardLeaderMs, wokeMs } = known[label];
    const peer = otherLabel(label);
    return {
      // A record that its holder released frees from the promise to it [DP3].
      promiseAgeMs:
        world.ground.witness?.server.record?.released === true ? Infinity : (world.nowMs - heardLeaderMs) * rate,
      quarantineAgeMs: (world.nowMs - Math.max(bornMs, wokeMs)) * rate,
      maintenanceOn: world.processes[label].disk.content?.maintenance?.on ?? false,
      engineFailed: world.processes[label].engineFaults.health === "failed",
      peerDead: !world.processes[peer].alive || world.nowMs - known[peer].bornMs < PROOF_LASTS_MS,
      changes: known[label].changes,
      behind: isBehind(world, label, known[label].told) && (world.nowMs - heardLeaderMs) * rate < patienceMs,
    };
  };

  const judge = (label: Label, epoch: number, cause: LeadershipCause): void => {
    const standing = known[label].standing ?? standingOf(label);
    const {
      promiseAgeMs,
      quarantineAgeMs,
      maintenanceOn,
      engineFailed,
      peerDead,
      changes: heldDown,
      behind,
    } = standing;
    const what = `${label} campaigned for epoch ${epoch} (${cause})`;
    if (maintenanceOn) world.violate("I5", `${what} during maintenance`);
    // In an election both are there, and the better claim leads [CP7].
    if (behind && cause !== "cold-start") world.violate("I5", `${what} while behind what clients were told`);
    if (engineFailed) world.violate("I5", `${what} with a failed engine`);
    if (cause === "death-proof" && !peerDead) world.violate("I5", `${what} while the peer lives`);
    // An unhealthy leader grants its role: what a quarantine protects from cannot happen then [HO5].
    if (cause !== "unhealthy" && quarantineAgeMs < campaignWaitMs - ROUNDING_MS) {
      world.violate("I5", `${what} ${quarantineAgeMs.toFixed(1)} ms into its quarantine`);
    }
    if ((cause === "silence" || cause === "blind") && promiseAgeMs < waitMs - ROUNDING_MS) {
      world.violate("I5", `${what} ${promiseAgeMs.toFixed(1)} ms after a heartbeat of the leader`);
    }
    if (!LIMITED.has(cause)) return;
    const oldest = heldDown[0];
    if (heldDown.length < maxAutomaticFailovers || oldest === undefined) return;
    if ((world.nowMs - oldest) * world.processes[label].machine.clock.rate < holdDownWindowMs - MARGIN_MS) {
      world.violate("I11", `${what} after ${heldDown.length} automatic changes within the hold-down window`);
    }
  };

  return {
    booted: (label) => {
      known[label] = fresh();
      known[otherLabel(label)].lastN = 0;
    },
    woke: (label, forMs) => {
      if (forMs * world.processes[label].machine.clock.rate > leaseMs / 2) known[label].wokeMs = world.nowMs;
    },
    delivered: (to, message) => {
      if (message.type !== "heartbeat" || message.n <= known[to].lastN) return;
      known[to].lastN = message.n;
      const accepted = world.processes[to].disk.content?.acceptedEpoch ?? 0;
      if (message.role !== "leader" || message.epoch < accepted) return;
      known[to].heardLeaderMs = world.nowMs;
      if (comparePositions(message.acknowledged, known[to].told) > 0) known[to].told = message.acknowledged;
      if (message.epoch <= known[to].heardEpoch) return;
      known[to].heardEpoch = message.epoch;
      noteChange(to, message.leadership?.cause ?? null);
    },
    told: (label, event) => {
      if (event.type !== "role") return;
      if (event.role === "candidate") known[label].standing = standingOf(label);
      if (event.role !== "leader") return;
      const resumed = event.epoch <= known[label].epoch;
      known[label].epoch = Math.max(known[label].epoch, event.epoch);
      if (resumed) return;
      if (event.cause !== null && AUTOMATIC.has(event.cause)) judge(label, event.epoch, event.cause);
      noteChange(label, event.cause);
      known[label].told = { epoch: 0, seq: 0 };
    },
  };
}

function isBehind(world: World, label: Label, told: LogPosition): boolean {
  const end = world.processes[label].disk.content?.shape.at(-1);
  return comparePositions({ epoch: end?.epoch ?? 0, seq: end?.to ?? 0 }, told) < 0;
}
