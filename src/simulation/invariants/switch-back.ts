/**
 * HO9: the role goes back to the preferred engine by itself only while that engine has said for the whole delay, without a
 * break, that it is healthy and caught up; never while a person holds the role, never against a person who put it where it
 * is, and never while hold-down forbids a change. Judged by the messages that the leader received, at the moment at which
 * it offers its role.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Heartbeat, LeadershipCause, PeerMessage } from "../../core/messages.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const AUTOMATIC: ReadonlySet<LeadershipCause> = new Set(["cold-start", "silence", "death-proof", "unhealthy", "blind"]);
/** Who offers a role that goes back by itself. */
const BY = "switch-back";
/** A heartbeat may have been put into words before the offer, and delivered in the same step. */
const MARGIN_MS = 5;

/** What an engine heard of its peer. True times. */
interface Heard {
  incarnation: string;
  n: number;
  /** Since when every heartbeat said that the peer is ready; null: the last one did not. */
  readySinceMs: number | null;
  atMs: number;
}

export function switchBack(world: World): Watch {
  const heard: Record<Label, Heard | null> = { a: null, b: null };
  const changes: Record<Label, readonly number[]> = { a: [], b: [] };
  const lastEpoch: Record<Label, number> = { a: 0, b: 0 };
  const placed: Record<Label, boolean> = { a: false, b: false };
  const { failover } = world.settings;
  const delayMs = failover.switchBackDelayMs / (1 + failover.maxClockDriftPpm / 1_000_000);
  return {
    booted: (label) => {
      heard[label] = null;
      placed[label] = false;
      changes[label] = [];
      lastEpoch[label] = 0;
    },
    delivered: (to, message) => {
      if (message.type !== "heartbeat") return;
      heard[to] = hear(heard[to], message, world.nowMs);
      const accepted = world.processes[to].disk.content?.acceptedEpoch ?? 0;
      if (message.role === "leader" && message.epoch >= accepted)
        note(to, message.epoch, message.leadership?.cause ?? null);
    },
    told: (label, event) => {
      if (event.type !== "role" || event.role !== "leader" || event.cause === null) return;
      placed[label] = event.cause === "forced";
      note(label, event.epoch, event.cause);
    },
    sent: (from, message) => {
      const why = message.type === "handover-offer" && message.by === BY ? fault(from, message) : null;
      if (why !== null) world.violate("HO9", `${from} gives its role back to the preferred engine ${why}`);
    },
  };

  /** An automatic change that this engine knows of. A switch-back counts too; here it does not, which is never stricter. */
  function note(label: Label, epoch: number, cause: LeadershipCause | null): void {
    if (cause === null || !AUTOMATIC.has(cause) || epoch <= lastEpoch[label]) return;
    lastEpoch[label] = epoch;
    changes[label] = [...changes[label], world.nowMs].slice(-failover.maxAutomaticFailovers);
  }

  function heldDown(label: Label): boolean {
    const oldestMs = changes[label][0];
    if (oldestMs === undefined || changes[label].length < failover.maxAutomaticFailovers) return false;
    const ageMs = (world.nowMs - oldestMs) * world.processes[label].machine.clock.rate;
    return ageMs < failover.holdDownWindowMs - MARGIN_MS;
  }

  function fault(from: Label, offer: Extract<PeerMessage, { type: "handover-offer" }>): string | null {
    const { nowMs, processes } = world;
    if (failover.switchBack !== "when-ready" || failover.preferred !== otherLabel(from)) return "which it is itself";
    if (heldDown(from)) return `in a hold-down, after ${changes[from].length} automatic changes`;
    if (processes[from].coordinator?.state().maintenance?.on === true) return "although a person holds it";
    if (placed[from]) return "although a person forced it here";
    const said = heard[from];
    if (said === null || said.readySinceMs === null) return "although that one is not ready";
    const readyMs = said.atMs - said.readySinceMs;
    const sinceMs = nowMs - said.readySinceMs;
    if (sinceMs < delayMs - MARGIN_MS)
      return `after ${readyMs.toFixed(0)} ms of ${failover.switchBackDelayMs} (epoch ${offer.epoch})`;
    return null;
  }
}

function hear(known: Heard | null, heartbeat: Heartbeat, nowMs: number): Heard {
  const { incarnation, n, health, sync, role } = heartbeat;
  // An older one came late, over the slower link.
  if (known !== null && known.incarnation === incarnation && n <= known.n) return known;
  const isReady = health === "ok" && sync === "ready" && role === "follower";
  const goesOn = known !== null && known.incarnation === incarnation ? known.readySinceMs : null;
  return { incarnation, n, readySinceMs: isReady ? (goesOn ?? nowMs) : null, atMs: nowMs };
}
