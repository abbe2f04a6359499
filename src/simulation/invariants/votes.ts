/**
 * Purpose: I4 (`consistency`): a leader's own count of the peer's vote ends before the follower's grant does.
 * How: the grant of heartbeat n runs from the true time of its receipt for `waitMs` of the follower's clock; what the
 * leader says to count must have ended by then. Under `on-air` the wait is as short as the lease, and nothing is promised.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Votes of a handover, of an election or of a proof of death run by other clocks: only heartbeats count this long after. */
const SETTLED_AFTER_MS = 2_000;
/** Asking a coordinator for its whole state is costly: every so many votes are enough. */
const EVERY = 5;
const RECEIPTS_KEPT = 128;
const ROUNDING_MS = 0.01;

/** Watches the peer's votes. */
export function votes(world: World): Watch {
  const receivedAtMs: Record<Label, Map<number, number>> = { a: new Map(), b: new Map() };
  const incarnations: Record<Label, string> = { a: "", b: "" };
  const grantEndsMs: Record<Label, number> = { a: 0, b: 0 };
  const changedAtMs: Record<Label, number> = { a: 0, b: 0 };
  const { policy, campaignWaitMs } = world.settings.failover;
  let count = 0;
  let leader: Label | null = null;
  return {
    told: (label, event) => {
      if (event.type === "role") changedAtMs[label] = world.nowMs;
    },
    died: (label) => void (changedAtMs[otherLabel(label)] = Infinity),
    booted: (label) => void (changedAtMs[otherLabel(label)] = world.nowMs),
    delivered: (to, message) => {
      if (policy !== "consistency" || message.type !== "heartbeat") return;
      const receipts = receivedAtMs[to];
      if (incarnations[to] !== message.incarnation) receipts.clear();
      incarnations[to] = message.incarnation;
      if (!receipts.has(message.n)) receipts.set(message.n, world.nowMs);
      if (receipts.size > RECEIPTS_KEPT) receipts.delete(receipts.keys().next().value as number);
      if (message.vote === null) return;
      const from = otherLabel(to);
      const receiptMs = receivedAtMs[from].get(message.vote.n);
      if (receiptMs === undefined) return;
      grantEndsMs[to] = Math.max(
        grantEndsMs[to],
        receiptMs + campaignWaitMs / world.processes[from].machine.clock.rate,
      );
      count += 1;
      if (count % EVERY === 0) leader = to;
    },
    afterStep: () => {
      if (leader === null) return;
      const label = leader;
      leader = null;
      const process = world.processes[label];
      if (world.nowMs - changedAtMs[label] < SETTLED_AFTER_MS || !process.running || process.coordinator === null)
        return;
      const { votes: left, role } = process.coordinator.state();
      const countEndsMs = world.nowMs + left.peerMs / process.machine.clock.rate;
      if (role === "leader" && left.peerMs > 0 && countEndsMs > grantEndsMs[label] + ROUNDING_MS) {
        world.violate(
          "I4",
          `${label} counts until ${countEndsMs.toFixed(2)}, granted until ${grantEndsMs[label].toFixed(2)}`,
        );
      }
    },
  };
}
