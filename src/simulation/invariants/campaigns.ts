/**
 * Purpose: I5 (no campaign of automation during a promise, quarantine, maintenance or hold-down) and I11 (automatic role
 * changes are bounded).
 * How: what bore on a campaign is noted when it begins, and judged when its cause is told with the new role.
 */
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
  /** Whether the peer's process is dead, or was so recently that a proof of it may still be under way. */
  readonly peerDead: boolean;
}

interface Known {
  bornMs: number;
  diedMs: number;
  heardLeaderMs: number;
  wokeMs: number;
  lastN: number;
  epoch: number;
  standing: Standing | null;
  /** True times of its automatic take-overs that hold-down counts. */
  changes: number[];
}

const AUTOMATIC: ReadonlySet<LeadershipCause> = new Set(["cold-start", "silence", "death-proof", "unhealthy", "blind"]);
/** Those that a hold-down forbids; a dead peer may always be replaced [CP6]. */
const LIMITED: ReadonlySet<LeadershipCause> = new Set(["silence", "blind", "unhealthy"]);
const PROOF_LASTS_MS = 400;
const ROUNDING_MS = 0.01;

/** Watches campaigns. */
export function campaigns(world: World): Watch {
  const fresh = (): Known => ({
    ...{ bornMs: world.nowMs, diedMs: -Infinity, heardLeaderMs: -Infinity, wokeMs: -Infinity, lastN: 0, epoch: 0 },
    standing: null,
    changes: [],
  });
  const known: Record<Label, Known> = { a: fresh(), b: fresh() };
  const { leaseMs, campaignWaitMs, policy, maxAutomaticFailovers, holdDownWindowMs } = world.settings.failover;
  const waitMs = policy === "consistency" ? campaignWaitMs : leaseMs;

  const standingOf = (label: Label): Standing => {
    const { rate } = world.processes[label].machine.clock;
    const { bornMs, heardLeaderMs, wokeMs } = known[label];
    const peer = otherLabel(label);
    return {
      promiseAgeMs: (world.nowMs - heardLeaderMs) * rate,
      quarantineAgeMs: (world.nowMs - Math.max(bornMs, wokeMs)) * rate,
      maintenanceOn: world.processes[label].disk.content?.maintenance?.on ?? false,
      engineFailed: world.processes[label].engineFaults.health === "failed",
      peerDead: !world.processes[peer].alive || world.nowMs - known[peer].diedMs < PROOF_LASTS_MS,
    };
  };

  const judge = (label: Label, epoch: number, cause: LeadershipCause): void => {
    const standing = known[label].standing ?? standingOf(label);
    const { promiseAgeMs, quarantineAgeMs, maintenanceOn, engineFailed, peerDead } = standing;
    const what = `${label} campaigned for epoch ${epoch} (${cause})`;
    if (maintenanceOn) world.violate("I5", `${what} during maintenance`);
    if (engineFailed) world.violate("I5", `${what} with a failed engine`);
    if (cause === "death-proof" && !peerDead) world.violate("I5", `${what} while the peer lives`);
    if (quarantineAgeMs < campaignWaitMs - ROUNDING_MS) {
      world.violate("I5", `${what} ${quarantineAgeMs.toFixed(1)} ms into its quarantine`);
    }
    if ((cause === "silence" || cause === "blind") && promiseAgeMs < waitMs - ROUNDING_MS) {
      world.violate("I5", `${what} ${promiseAgeMs.toFixed(1)} ms after a heartbeat of the leader`);
    }
    if (!LIMITED.has(cause)) return;
    const since = world.nowMs - holdDownWindowMs;
    known[label].changes = [...known[label].changes.filter((atMs) => atMs > since), world.nowMs];
    if (known[label].changes.length > maxAutomaticFailovers) {
      world.violate("I11", `${label} took over ${known[label].changes.length} times within the hold-down window`);
    }
  };

  return {
    booted: (label) => {
      known[label] = { ...fresh(), diedMs: known[label].diedMs };
      known[otherLabel(label)].lastN = 0;
    },
    died: (label) => void (known[label].diedMs = world.nowMs),
    woke: (label, forMs) => {
      if (forMs * world.processes[label].machine.clock.rate > leaseMs / 2) known[label].wokeMs = world.nowMs;
    },
    delivered: (to, message) => {
      if (message.type !== "heartbeat" || message.n <= known[to].lastN) return;
      known[to].lastN = message.n;
      const accepted = world.processes[to].disk.content?.acceptedEpoch ?? 0;
      if (message.role === "leader" && message.epoch >= accepted) known[to].heardLeaderMs = world.nowMs;
    },
    told: (label, event) => {
      if (event.type !== "role") return;
      if (event.role === "candidate") known[label].standing = standingOf(label);
      if (event.role !== "leader") return;
      const resumed = event.epoch <= known[label].epoch;
      known[label].epoch = Math.max(known[label].epoch, event.epoch);
      if (!resumed && event.cause !== null && AUTOMATIC.has(event.cause)) judge(label, event.epoch, event.cause);
    },
  };
}
