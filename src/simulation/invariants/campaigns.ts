/**
 * I5 (no campaign of automation during a promise, quarantine, maintenance or hold-down), I11 (automatic role changes are
 * bounded), and CP3 (silence alone wins nothing without the witness).
 *
 * What bears on a campaign is noted when it begins and again when it swaps the record. It is judged when the cause is told
 * with the new role.
 */
import { comparePositions } from "../../core/claim.ts";
import type { CoordinatorEvent } from "../../core/events.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { LeadershipCause, PeerMessage } from "../../core/messages.ts";
import type { WitnessRecord } from "../../ports/witness.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import { newLife, standingOf, type Known, type Standing } from "./campaign-standing.ts";

const AUTOMATIC: ReadonlySet<LeadershipCause> = new Set(["cold-start", "silence", "death-proof", "unhealthy", "blind"]);
/** Those that a hold-down forbids; a dead peer may always be replaced [CP6]. */
const LIMITED: ReadonlySet<LeadershipCause> = new Set(["silence", "blind", "cold-start"]);
/** Those that a promise forbids; in an election the peer itself gives its vote [CP7]. */
const BOUND_BY_PROMISE: ReadonlySet<LeadershipCause> = new Set(["silence", "blind"]);
/** The engine notes a change some time after the world does, so its window ends later; never earlier than this. */
const MARGIN_MS = 5;
const ROUNDING_MS = 0.01;

/** Watches campaigns. */
export class Campaigns implements Watch {
  readonly #world: World;
  readonly #known: Record<Label, Known>;

  constructor(world: World) {
    this.#world = world;
    this.#known = { a: newLife(world.nowMs), b: newLife(world.nowMs) };
  }

  booted(label: Label): void {
    this.#known[label] = newLife(this.#world.nowMs);
  }

  woke(label: Label, forMs: number): void {
    const { settings, processes, nowMs } = this.#world;
    const pausedMs = forMs * processes[label].machine.clock.rate;
    if (pausedMs > settings.failover.leaseMs / 2) this.#known[label].wokeMs = nowMs;
  }

  delivered(to: Label, message: PeerMessage): void {
    const known = this.#known[to];
    if (message.type !== "heartbeat") return;
    if (message.incarnation === known.peerIncarnation && message.n <= known.lastN) return;
    known.peerIncarnation = message.incarnation;
    known.lastN = message.n;
    const accepted = this.#world.processes[to].disk.content?.acceptedEpoch ?? 0;
    if (message.role !== "leader" || message.epoch < accepted) return;
    known.heardLeaderMs = this.#world.nowMs;
    if (comparePositions(message.acknowledged, known.told) > 0) known.told = message.acknowledged;
    if (message.epoch <= known.heardEpoch) return;
    known.heardEpoch = message.epoch;
    this.#noteChange(known, message.leadership?.cause ?? null);
  }

  /** A vote that was given is a promise as well [VT2]. */
  sent(from: Label, message: PeerMessage): void {
    if (message.type === "vote-answer" && message.granted) this.#known[from].votedMs = this.#world.nowMs;
  }

  /** What a campaign rests on is looked at again right before the swap. */
  swapSent(from: Label): void {
    const known = this.#known[from];
    if (known.standing !== null && known.campaigns) known.standingAtSwap = this.#now(from);
  }

  swapped(from: Label, _previous: unknown, next: WitnessRecord): void {
    this.#known[from].swappedEpoch = next.epoch;
  }

  told(label: Label, event: CoordinatorEvent): void {
    if (event.type !== "role") return;
    const known = this.#known[label];
    known.campaigns = event.role === "candidate";
    if (event.role === "candidate") Object.assign(known, { standing: this.#now(label), standingAtSwap: null });
    if (event.role !== "leader" || event.epoch <= known.epoch) return;
    known.epoch = event.epoch;
    const now = (): Standing => this.#now(label);
    if (event.cause !== null && AUTOMATIC.has(event.cause)) {
      const what = `${label} campaigned for epoch ${event.epoch} (${event.cause})`;
      this.#judge(what, event.cause, known.standing ?? now());
      // In an election the peer has been asked instead, and it may be an engine's first [CP7].
      if (event.cause !== "cold-start" && known.standingAtSwap !== null)
        this.#judge(`${what}, swapped`, event.cause, known.standingAtSwap);
      if (event.cause === "silence" && known.swappedEpoch !== event.epoch)
        this.#world.violate("CP3", `${what} without a proof and without the witness`);
      if (LIMITED.has(event.cause)) this.#judgeHoldDown(label, event.cause, known.standing ?? now());
    }
    this.#noteChange(known, event.cause);
    known.told = { epoch: 0, seq: 0 };
  }

  #judge(what: string, cause: LeadershipCause, standing: Standing): void {
    const { promiseAgeMs, quarantineAgeMs, maintenanceOn, engineFailed, peerDead, behind } = standing;
    const { leaseMs, campaignWaitMs, policy } = this.#world.settings.failover;
    const waitMs = policy === "consistency" ? campaignWaitMs : leaseMs;
    const violate = (how: string): void => this.#world.violate("I5", `${what} ${how}`);
    if (maintenanceOn) violate("during maintenance");
    if (engineFailed) violate("with a failed engine");
    // In an election both are there, and the better claim leads [CP7].
    if (behind && cause !== "cold-start") violate("while behind what clients were told");
    if (cause === "death-proof" && !peerDead) violate("while the peer lives");
    // An unhealthy leader grants its role: what a quarantine protects from cannot happen then [HO5].
    // Nor does a quarantine bind towards a peer that is proven dead [CP5].
    if (cause !== "unhealthy" && cause !== "death-proof" && quarantineAgeMs < campaignWaitMs - ROUNDING_MS) {
      violate(`${quarantineAgeMs.toFixed(1)} ms into its quarantine`);
    }
    if (BOUND_BY_PROMISE.has(cause) && promiseAgeMs < waitMs - ROUNDING_MS) {
      violate(`${promiseAgeMs.toFixed(1)} ms after a heartbeat of the leader`);
    }
  }

  #judgeHoldDown(label: Label, cause: LeadershipCause, { changes, peerDead }: Standing): void {
    if (peerDead) return;
    const { nowMs, processes, settings } = this.#world;
    const { holdDownWindowMs, maxAutomaticFailovers } = settings.failover;
    const oldestMs = changes[0];
    if (changes.length < maxAutomaticFailovers || oldestMs === undefined) return;
    if ((nowMs - oldestMs) * processes[label].machine.clock.rate >= holdDownWindowMs - MARGIN_MS) return;
    this.#world.violate(
      "I11",
      `${label} took over (${cause}) after ${changes.length} automatic changes within the window`,
    );
  }

  #now(label: Label): Standing {
    return standingOf(this.#world, label, this.#known[label], this.#known[otherLabel(label)]);
  }

  /** Automatic changes that this engine knows of: its own, and those of its peer that it heard of. */
  #noteChange(known: Known, cause: LeadershipCause | null): void {
    if (cause === null || !AUTOMATIC.has(cause)) return;
    const { maxAutomaticFailovers } = this.#world.settings.failover;
    known.changes = [...known.changes, this.#world.nowMs].slice(-maxAutomaticFailovers);
  }
}
